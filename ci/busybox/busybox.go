// Package busybox lays out the busybox image's file system around a busybox binary, and finds
// that binary.
package busybox

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/proc"
)

// Version is the busybox that the library's default image has, and the one Debian's suite has too.
const (
	Version = "1.37.0"
	Suite   = "trixie"
)

// Tag is the library's default image: upstream's static build, as the one without a suffix is linked dynamically.
const Tag = Version + "-musl"

// Binary returns the path of a static busybox of Version, and whether it was in the cache directory. It
// is that of Debian's package busybox-static, or on a machine that can't verify Debian's packages the
// upstream image's, for which Docker is needed.
func Binary(ctx context.Context, log io.Writer, cacheDir string) (path string, reused bool, err error) {
	dir := filepath.Join(cacheDir, "busybox-"+Version)
	reused, err = cache.Make(ctx, dir, func(tmp string) error {
		if err := os.MkdirAll(tmp, 0o755); err != nil {
			return err
		}
		binary := filepath.Join(tmp, "busybox")
		if err := fromDebian(ctx, log, binary); err != nil {
			fmt.Fprintf(log, "busybox from Debian: %v\n", err)
			if upstreamErr := fromUpstream(ctx, log, binary); upstreamErr != nil {
				return fmt.Errorf("busybox %s, from Debian: %w; from the upstream image: %w", Version, err, upstreamErr)
			}
		}
		return checkVersion(ctx, binary)
	})
	return filepath.Join(dir, "busybox"), reused, err
}

func fromDebian(ctx context.Context, log io.Writer, to string) error {
	unpacked := to + ".deb"
	defer os.RemoveAll(unpacked)
	if err := debian.Package(ctx, log, unpacked, Suite, "busybox-static"); err != nil {
		return err
	}
	for _, place := range []string{"usr/bin/busybox", "bin/busybox"} {
		if err := os.Rename(filepath.Join(unpacked, place), to); err == nil {
			return nil
		}
	}
	return fmt.Errorf("package busybox-static has no busybox")
}

func checkVersion(ctx context.Context, binary string) error {
	help, err := proc.Output(ctx, binary, "--help")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(help, "BusyBox v"+Version+" ") {
		line, _, _ := strings.Cut(help, "\n")
		return fmt.Errorf("expected busybox %s, but Debian's says %q", Version, line)
	}
	return nil
}

// Files is the busybox image's file system: the binary under the names of all that it can do, and the
// few files and directories that the image has besides.
func Files(ctx context.Context, binary string) (*image.Files, error) {
	applets, err := proc.Output(ctx, binary, "--list")
	if err != nil {
		return nil, err
	}
	f := image.NewFiles()
	if err := f.Copy("bin/busybox", 0o755, binary); err != nil {
		return nil, err
	}
	for _, applet := range strings.Fields(applets) {
		if applet != "busybox" {
			f.Hardlink("bin/"+applet, "bin/busybox")
		}
	}
	f.Symlink("usr/bin/env", "../../bin/env")
	f.Dir("usr/sbin", 0o755)
	f.Dir("dev", 0o755)
	f.Dir("tmp", 0o777|os.ModeSticky)
	f.Dir("root", 0o700)
	f.Dir("var/spool/mail", 0o755)
	f.Dir("var/www", 0o755)
	f.Dir("home", 0o755)
	f.File("etc/passwd", 0o644, passwd)
	f.File("etc/group", 0o644, group)
	f.File("etc/shadow", 0o640, shadow)
	f.File("etc/nsswitch.conf", 0o644, "hosts: files dns\n")
	return f, f.Own("home", 65534, 65534)
}

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
sync:x:4:100:sync:/bin:/bin/sync
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`

const group = `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
lp:x:7:
mail:x:8:
kmem:x:9:
wheel:x:10:root
cdrom:x:11:
dialout:x:18:
floppy:x:19:
video:x:28:
audio:x:29:
tape:x:32:
www-data:x:33:
operator:x:37:
utmp:x:43:
plugdev:x:46:
staff:x:50:
lock:x:54:
netdev:x:82:
users:x:100:
nobody:x:65534:
`

const shadow = `root:*:10933:0:99999:7:::
daemon:*:10933:0:99999:7:::
bin:*:10933:0:99999:7:::
sys:*:10933:0:99999:7:::
sync:*:10933:0:99999:7:::
mail:*:10933:0:99999:7:::
www-data:*:10933:0:99999:7:::
operator:*:10933:0:99999:7:::
nobody:*:10933:0:99999:7:::
`
