package pgbouncer

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outrigger-charts/outrigger/library/sidecar/postgres"
)

// consoleName is the console's database, and its user.
const consoleName = "pgbouncer"

// console asks a pgbouncer how it is, on a Unix socket, where it lets its own user id in under the name pgbouncer, without a
// password and whatever its settings. Nobody else has the console: admin_users and stats_users are empty, and a client on
// loopback is no peer with a user id. Where the socket is the app's too (Listen.Directory), an app that runs under the very
// user id of this container has it as well.
type console struct {
	folder string
	port   int
}

// row is one of an answer, by the names of its columns.
type row map[string]string

// show asks SHOW what.
func (c console) show(ctx context.Context, what string) ([]row, error) {
	session, err := postgres.Connect(ctx, postgres.Target{Host: c.folder, Port: c.port, User: consoleName, Database: consoleName})
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

// version asks SHOW VERSION, which needs no server and which a pgbouncer that hangs does not answer.
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
	pools, err := c.show(ctx, "POOLS")
	if err != nil {
		return 0, err
	}
	count := 0
	for _, pool := range pools {
		if pool["database"] == consoleName {
			continue
		}
		for _, column := range []string{"cl_active", "cl_waiting"} {
			of, err := strconv.Atoi(pool[column])
			if err != nil {
				return 0, err
			}
			count += of
		}
	}
	return count, nil
}

// awaitHang returns true when the console has failed to answer three times in a row, each within its patience, and false when
// the context ends. An answer is followed by a pause as long as that.
func (c console) awaitHang(ctx context.Context, patience time.Duration) bool {
	for failures := 0; failures < 3; {
		asking, cancel := context.WithTimeout(ctx, patience)
		_, err := c.version(asking)
		if err == nil {
			failures = 0
		} else {
			failures++
		}
		// Also a question that fails at once, as nobody listens yet, has its whole time.
		<-asking.Done()
		cancel()
	}
	return ctx.Err() == nil
}
