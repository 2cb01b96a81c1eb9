package pgbouncer

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outrigger-charts/outrigger/library/sidecar/postgres"
)

// consoleName is the console's database, and its user.
const consoleName = "pgbouncer"

// console asks a pgbouncer how it is, on a Unix socket, where it lets its own user id in under the name pgbouncer,
// without a password and whatever its settings. Nobody else has the console but whom admin_users and stats_users name,
// which the program leaves empty: a client on loopback has no user id. Where the socket is the app's too
// (Listen.Directory), an app that runs under the very user id of this container has it as well.
type console struct {
	folder string
	port   int
}

// row is one of an answer, by the names of its columns.
type row map[string]string

// show asks SHOW what.
func (c console) show(ctx context.Context, what string) ([]row, error) {
	session, err := postgres.Connect(ctx, postgres.Target{
		Host: c.folder, Port: c.port, User: consoleName, Database: consoleName, Dial: dialUntil,
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close(ctx) }()
	results, err := session.Exec(ctx, "SHOW "+what).ReadAll()
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, result := range results {
		rows = append(rows, rowsOf(result)...)
	}
	return rows, nil
}

func rowsOf(result *pgconn.Result) []row {
	var rows []row
	for _, values := range result.Rows {
		named := row{}
		for i, value := range values {
			named[result.FieldDescriptions[i].Name] = string(value)
		}
		rows = append(rows, named)
	}
	return rows
}

// answers tells whether the pgbouncer says anything, be it that it will not say (disable_pqexec). It needs no server
// for that.
func (c console) answers(ctx context.Context) error {
	_, err := c.version(ctx)
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return nil
	}
	return err
}

func (c console) version(ctx context.Context) (string, error) {
	rows, err := c.show(ctx, "VERSION")
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", errors.New("pgbouncer's console has no answer to SHOW VERSION")
	}
	return rows[0]["version"], nil
}

// clients counts those that are connected, but for the console's own.
func (c console) clients(ctx context.Context) (int, error) {
	return c.sum(ctx, "POOLS", "cl_active", "cl_waiting")
}

// queries counts what clients have asked since pgbouncer began.
func (c console) queries(ctx context.Context) (int, error) {
	return c.sum(ctx, "STATS", "total_query_count")
}

// ofDatabases asks SHOW what, and leaves out the console's own row.
func (c console) ofDatabases(ctx context.Context, what string) ([]row, error) {
	rows, err := c.show(ctx, what)
	return slices.DeleteFunc(rows, func(r row) bool { return r["database"] == consoleName }), err
}

// sum adds up columns of all databases.
func (c console) sum(ctx context.Context, what string, columns ...string) (int, error) {
	rows, err := c.ofDatabases(ctx, what)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, row := range rows {
		for _, column := range columns {
			of, err := strconv.Atoi(row[column])
			if err != nil {
				return 0, err
			}
			total += of
		}
	}
	return total, nil
}
