package testimages

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/busybox"
	"github.com/outrigger-charts/outrigger/ci/image"
)

// SQLiteRef is the image of SQLite of the tests.
const SQLiteRef = "docker.io/keinos/sqlite3:3.40.1"

// sqlite is SQLite's shell. Upstream's is Alpine and SQLite, without certificates and time zones.
var sqlite = Image{
	Ref:     SQLiteRef,
	MadeOf:  "SQLite 3.40 of Debian's sqlite3, and busybox",
	Key:     append(bookworm.key(), busybox.Version),
	StandIn: sqliteStandIn,
}

func sqliteStandIn(ctx context.Context, e Env) (image.Spec, error) {
	f, err := bookworm.files(ctx, e, "sqlite3")
	if err != nil {
		return image.Spec{}, err
	}
	binary, _, err := busybox.Binary(ctx, e.Log, e.Cache)
	if err != nil {
		return image.Spec{}, err
	}
	tools, err := busybox.Files(ctx, binary)
	if err != nil {
		return image.Spec{}, err
	}
	f.Remove("bin") // of busybox, not a link to usr/bin
	f.Remove("sbin")
	f.Merge(tools)
	return image.Spec{Files: f, Config: v1.Config{
		User: "1000:1000",
		Cmd:  []string{"/usr/bin/sqlite3"},
		Env:  []string{searchPath},
	}}, account(f, "sqlite", "1000", "/home/sqlite", "/bin/sh")
}
