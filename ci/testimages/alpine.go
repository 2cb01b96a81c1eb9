package testimages

import (
	"context"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/busybox"
	"github.com/outrigger-charts/outrigger/ci/image"
)

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
	// Bookworm's tzdata is Debian's last that has the old names too, as Alpine's has.
	zones, err := bookworm.files(ctx, e, "tzdata")
	if err != nil {
		return nil, err
	}
	for _, left := range []string{"localtime", "posix", "right"} { // a link, and all zones a second and a third time
		zones.Remove("usr/share/zoneinfo/" + left)
	}
	f.Merge(zones.Pick(zones.Select(func(name string) bool { return strings.HasPrefix(name, "usr/share/zoneinfo/") })...))
	return f, nil
}

// alpineKey is what alpine is made of.
var alpineKey = slices.Concat([]string{busybox.Version}, forky.key(), bookworm.key())

// account adds a user and its group of the same number.
func account(f *image.Files, name, id, home, shell string) error {
	if err := f.Edit("etc/passwd", func(s string) string {
		return s + name + ":x:" + id + ":" + id + "::" + home + ":" + shell + "\n"
	}); err != nil {
		return err
	}
	return f.Edit("etc/group", func(s string) string { return s + name + ":x:" + id + ":\n" })
}
