package testimages

import (
	"context"
	_ "embed"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
)

// PostgresRef is the image of the PostgreSQL server of the tests. Its minor version is the one that Debian has.
const PostgresRef = "docker.io/library/postgres:15"

const postgresBin = "usr/lib/postgresql/15/bin"

//go:embed postgres-entrypoint.sh
var postgresEntrypoint string

// postgres is a database that is backed up by its own dump. Upstream's is Debian's slim image and PostgreSQL.
var postgres = Image{
	Ref:     PostgresRef,
	MadeOf:  "PostgreSQL 15 of Debian's postgresql-15, laid out as upstream's image, without just-in-time compilation",
	Key:     append(bookworm.key(), postgresEntrypoint),
	StandIn: postgresStandIn,
}

func postgresStandIn(ctx context.Context, e Env) (image.Spec, error) {
	f, err := bookworm.files(ctx, e, append(debianTools, "postgresql-15", "libnss-wrapper")...)
	if err != nil {
		return image.Spec{}, err
	}
	withoutCompiler(f)
	// Debian has a Perl script there, which chooses among versions.
	for _, client := range []string{
		"createdb", "createuser", "dropdb", "dropuser", "pg_basebackup", "pg_dump", "pg_dumpall", "pg_isready", "pg_restore", "psql",
	} {
		f.Symlink("usr/bin/"+client, "/"+postgresBin+"/"+client)
	}
	if err := f.Edit("usr/share/postgresql/15/postgresql.conf.sample", func(s string) string {
		return strings.Replace(s, "#listen_addresses = 'localhost'", "listen_addresses = '*'", 1)
	}); err != nil {
		return image.Spec{}, err
	}
	f.Dir("docker-entrypoint-initdb.d", 0o755)
	return image.Spec{Files: f, Config: v1.Config{
			Entrypoint: []string{"docker-entrypoint.sh"},
			Cmd:        []string{"postgres"},
			Env: []string{
				searchPath + ":/" + postgresBin, "LANG=C.UTF-8", "PG_MAJOR=15", "PGDATA=/var/lib/postgresql/data",
			},
			ExposedPorts: map[string]struct{}{"5432/tcp": {}},
			Volumes:      map[string]struct{}{"/var/lib/postgresql/data": {}},
			StopSignal:   "SIGINT",
		}}, server(f, "postgres", "/var/lib/postgresql", postgresEntrypoint,
			"var/lib/postgresql", "var/lib/postgresql/data", "run/postgresql")
}

// withoutCompiler removes from the server's files those of just-in-time compilation.
func withoutCompiler(f *image.Files) {
	f.Remove("usr/lib/postgresql/15/lib/bitcode")
	f.Remove("usr/lib/postgresql/15/lib/llvmjit.so")
}
