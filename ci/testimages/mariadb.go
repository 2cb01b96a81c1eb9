package testimages

import (
	"context"
	_ "embed"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
)

// MariaDBRef is the image of the MariaDB server of the tests.
const MariaDBRef = "docker.io/library/mariadb:10.11"

//go:embed mariadb-entrypoint.sh
var mariadbEntrypoint string

// mariadb is a database that is backed up by its own dump. Upstream's is Ubuntu's image and MariaDB.
var mariadb = Image{
	Ref:     MariaDBRef,
	MadeOf:  "MariaDB 10.11 of Debian's mariadb-server-core and mariadb-client, laid out as upstream's image",
	Key:     append(bookworm.key(), mariadbEntrypoint),
	StandIn: mariadbStandIn,
}

func mariadbStandIn(ctx context.Context, e Env) (image.Spec, error) {
	f, err := bookworm.files(ctx, e, append(debianTools, "mariadb-client", "mariadb-server-core")...)
	if err != nil {
		return image.Spec{}, err
	}
	f.File("etc/mysql/my.cnf", 0o644, mariadbConf)
	f.Dir("etc/mysql/conf.d", 0o755)
	f.Dir("docker-entrypoint-initdb.d", 0o755)
	return image.Spec{Files: f, Config: v1.Config{
		Entrypoint:   []string{"docker-entrypoint.sh"},
		Cmd:          []string{"mariadbd"},
		Env:          []string{searchPath, "LANG=C.UTF-8"},
		ExposedPorts: map[string]struct{}{"3306/tcp": {}},
		Volumes:      map[string]struct{}{"/var/lib/mysql": {}},
	}}, server(f, "mysql", "/var/lib/mysql", mariadbEntrypoint, "var/lib/mysql", "run/mysqld")
}

const mariadbConf = `[client-server]
socket = /run/mysqld/mysqld.sock

[mysqld]
datadir = /var/lib/mysql
pid-file = /run/mysqld/mysqld.pid
host-cache-size = 0
skip-name-resolve

!includedir /etc/mysql/conf.d/
`
