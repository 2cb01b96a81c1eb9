package testimages

import (
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/busybox"
	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/image"
)

// DynamicBusyBoxRef is an image whose busybox starts in no other image.
const DynamicBusyBoxRef = "docker.io/library/busybox:" + busybox.Version

// dynamicBusyBox is what the library has to refuse.
var dynamicBusyBox = Image{
	Ref:     DynamicBusyBoxRef,
	MadeOf:  "busybox " + busybox.Version + " of Debian's busybox, and the libraries that it is linked to",
	Key:     []string{busybox.Version, busybox.Suite},
	StandIn: dynamicBusyBoxStandIn,
}

// DynamicBusyBoxRoot returns the path of a folder with Debian's busybox, which is linked dynamically, and its libraries, as
// the packages have them.
func DynamicBusyBoxRoot(ctx context.Context, e Env) (string, error) {
	dir := filepath.Join(e.Cache, "rootfs", "busybox-dynamic-"+new(cache.Key).Add(busybox.Version, busybox.Suite).String())
	_, err := cache.Make(ctx, dir, func(tmp string) error {
		return debian.Package(ctx, e.Log, tmp, busybox.Suite, "busybox", "libc6")
	})
	return dir, err
}

func dynamicBusyBoxStandIn(ctx context.Context, e Env) (image.Spec, error) {
	static, _, err := busybox.Binary(ctx, e.Log, e.Cache)
	if err != nil {
		return image.Spec{}, err
	}
	f, err := busybox.Files(ctx, static)
	if err != nil {
		return image.Spec{}, err
	}
	root, err := DynamicBusyBoxRoot(ctx, e)
	if err != nil {
		return image.Spec{}, err
	}
	program := filepath.Join(root, "usr/bin/busybox")
	libraries, err := linkedTo(root, program)
	if err != nil {
		return image.Spec{}, err
	}
	for name, from := range libraries {
		if err := f.Copy(name, 0o755, from); err != nil {
			return image.Spec{}, err
		}
	}
	return image.Spec{Files: f, Config: v1.Config{
		Cmd: []string{"sh"},
		Env: []string{searchPath},
	}}, f.Copy("bin/busybox", 0o755, program)
}

// linkedTo returns what a program needs to start: by the path where it is looked for, that of the file below root.
func linkedTo(root, program string) (map[string]string, error) {
	file, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	section := file.Section(".interp")
	if section == nil {
		return nil, fmt.Errorf("%s is linked statically", program)
	}
	interpreter, err := section.Data()
	if err != nil {
		return nil, err
	}
	linker := string(bytes.TrimRight(interpreter, "\x00"))
	found := map[string]string{linker: filepath.Join(root, "usr", linker)}
	names, err := file.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		paths, err := filepath.Glob(filepath.Join(root, "usr/lib/*", name))
		if err != nil || len(paths) != 1 {
			return nil, fmt.Errorf("%s below %s: %v, %w", name, root, paths, err)
		}
		found["lib/"+name] = paths[0]
	}
	return found, nil
}
