package testimages

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/outrigger-charts/outrigger/ci/busybox"
	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/image"
)

// zoneSuite is the last of Debian's whose tzdata has the old names too, as Alpine's has.
const zoneSuite = "bookworm"

// alpine is what images made of Alpine have besides their program: busybox' tools, the certificates of public
// authorities, and time zones.
func alpine(ctx context.Context, e Env) (*image.Files, error) {
	binary, _, err := busybox.Binary(ctx, e.Log, e.Cache)
	if err != nil {
		return nil, err
	}
	f, err := busybox.Files(ctx, binary)
	if err != nil {
		return nil, err
	}
	authorities, err := certificates(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := f.Copy("etc/ssl/certs/ca-certificates.crt", 0o644, authorities); err != nil {
		return nil, err
	}
	zones, err := zoneInfo(ctx, e)
	if err != nil {
		return nil, err
	}
	return f, f.CopyDir("usr/share/zoneinfo", zones, func(string) fs.FileMode { return 0o644 })
}

// alpineKey is what alpine is made of.
var alpineKey = []string{busybox.Version, caSuite, zoneSuite}

// zoneInfo returns the path of a directory with the time zones of Debian's tzdata.
func zoneInfo(ctx context.Context, e Env) (string, error) {
	key := new(cache.Key).Add(zoneSuite, "tzdata")
	dir := filepath.Join(e.Cache, "rootfs", "zoneinfo-"+key.String())
	_, err := cache.Make(ctx, dir, func(tmp string) error {
		unpacked := tmp + ".deb"
		defer os.RemoveAll(unpacked)
		if err := debian.Package(ctx, e.Log, unpacked, zoneSuite, "tzdata"); err != nil {
			return err
		}
		zones := filepath.Join(unpacked, "usr/share/zoneinfo")
		// What leads out of the directory, and all zones a second and a third time.
		for _, left := range []string{"localtime", "posix", "right"} {
			if err := os.RemoveAll(filepath.Join(zones, left)); err != nil {
				return err
			}
		}
		return os.Rename(zones, tmp)
	})
	return dir, err
}

// account adds a user and its group of the same number.
func account(f *image.Files, name, id, home, shell string) error {
	if err := f.Edit("etc/passwd", func(s string) string {
		return s + name + ":x:" + id + ":" + id + "::" + home + ":" + shell + "\n"
	}); err != nil {
		return err
	}
	return f.Edit("etc/group", func(s string) string { return s + name + ":x:" + id + ":\n" })
}
