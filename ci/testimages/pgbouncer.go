package testimages

import (
	"context"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/image"
)

// PgBouncerRef is the image of pgbouncer.
const PgBouncerRef = "ghcr.io/cloudnative-pg/pgbouncer:1.25.2"

// pgBouncer is the library's default image for the proxy of a database. Upstream's is Debian's slim image, pgbouncer
// and PostgreSQL's clients.
var pgBouncer = Image{
	Ref:     PgBouncerRef,
	MadeOf:  "pgbouncer 1.26 of Debian's pgbouncer, laid out as upstream's image, without PostgreSQL's clients",
	Key:     forky.key(),
	StandIn: pgBouncerStandIn,
}

// PgBouncerRoot returns the path of a folder with the stand-in's files.
func PgBouncerRoot(ctx context.Context, e Env) (string, error) {
	key, err := pgBouncer.StandInKey(e.Root)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(e.Cache, "rootfs", "pgbouncer-"+key)
	_, err = cache.Make(ctx, dir, func(tmp string) error {
		spec, err := pgBouncerStandIn(ctx, e)
		if err != nil {
			return err
		}
		return unpack(ctx, e, spec.Files, tmp)
	})
	cache.Prune(filepath.Dir(dir), "pgbouncer-*", 1)
	return dir, err
}

func pgBouncerStandIn(ctx context.Context, e Env) (image.Spec, error) {
	f, err := forky.files(ctx, e, "dash", "pgbouncer")
	if err != nil {
		return image.Spec{}, err
	}
	system(f)
	// Upstream's user has a group of another number.
	if err := f.Edit("etc/passwd", func(s string) string {
		return s + "pgbouncer:x:998:996::/home/pgbouncer:/bin/sh\n"
	}); err != nil {
		return image.Spec{}, err
	}
	if err := f.Edit("etc/group", func(s string) string { return s + "pgbouncer:x:996:\n" }); err != nil {
		return image.Spec{}, err
	}
	f.Symlink("usr/bin/pgbouncer", "/usr/sbin/pgbouncer")
	f.File("entrypoint.sh", 0o755, "#!/bin/sh\n/usr/bin/pgbouncer /etc/pgbouncer/pgbouncer.ini\n")
	for _, dir := range []string{"run/pgbouncer", "var/log/pgbouncer", "etc/pgbouncer"} {
		f.Dir(dir, 0o755)
		if err := f.Own(dir, 998, 996); err != nil {
			return image.Spec{}, err
		}
	}
	authorities, err := certificates(ctx, e)
	if err != nil {
		return image.Spec{}, err
	}
	return image.Spec{Files: f, Config: v1.Config{
		Entrypoint:   []string{"./entrypoint.sh"},
		User:         "pgbouncer",
		Env:          []string{searchPath},
		ExposedPorts: map[string]struct{}{"6432/tcp": {}},
	}}, f.Copy("etc/ssl/certs/ca-certificates.crt", 0o644, authorities)
}
