package pgbouncer

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

// databaseName is what pgbouncer reads as a key of its section [databases] in all its versions.
var databaseName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// check tells what is wrong with a document, by the place in it and with the mend.
func check(config document.PgBouncer) error {
	switch {
	case (config.AuthFile == "") == (config.PasswordFile == ""):
		return errors.New("one of authFile and passwordFile is needed, and not both")
	case config.PasswordFile != "" && config.User == "":
		return errors.New("user is missing; it is the one whose password passwordFile has")
	case len(double(config.User)) > mostUserBytes:
		return fmt.Errorf("user: %w", errLongUser)
	case config.Listen.Port < 1 || config.Listen.Port > 65535:
		return fmt.Errorf("listen/port is %d, which is no port", config.Listen.Port)
	}
	for name, database := range sorted(config.Databases) {
		if err := checkDatabase(name, database); err != nil {
			return err
		}
	}
	if _, found := config.Databases[config.ProofDatabase]; !found {
		return fmt.Errorf("proofDatabase is %q, which is none of databases", config.ProofDatabase)
	}
	return checkSettings(config.Settings)
}

func checkDatabase(name string, database document.PgBouncerDatabase) error {
	switch {
	case name == consoleName:
		return errors.New("databases/pgbouncer is the name of pgbouncer's own console; give it another one")
	case !databaseName.MatchString(name):
		return fmt.Errorf("databases/%s is no name that pgbouncer's configuration can hold; "+
			"give it one of letters, digits, _, . and -", name)
	case strings.ContainsAny(database.Host+database.Database+database.PoolMode, "\r\n\x00"):
		return fmt.Errorf("databases/%s has a line break, which pgbouncer's configuration cannot hold; remove it", name)
	}
	return nil
}

// configuration is pgbouncer's: its databases, and its settings by their names.
func configuration(databases map[string]document.PgBouncerDatabase, settings ...map[string]string) string {
	var text strings.Builder
	text.WriteString("[databases]\n")
	for name, database := range sorted(databases) {
		fmt.Fprintf(&text, "%s =%s\n", name, connectionString(database))
	}
	text.WriteString("[pgbouncer]\n")
	all := map[string]string{}
	for _, some := range settings {
		maps.Copy(all, some)
	}
	for name, value := range sorted(all) {
		fmt.Fprintf(&text, "%s = %s\n", name, value)
	}
	return text.String()
}

// connectionString is a database's, each value in quotes; pgbouncer takes no empty ones.
func connectionString(database document.PgBouncerDatabase) string {
	var text strings.Builder
	field := func(name, value string) {
		if value != "" && value != "0" {
			fmt.Fprintf(&text, " %s='%s'", name, strings.ReplaceAll(value, "'", "''"))
		}
	}
	field("host", database.Host)
	field("port", strconv.Itoa(database.Port))
	field("dbname", database.Database)
	field("pool_mode", database.PoolMode)
	field("pool_size", strconv.Itoa(database.PoolSize))
	return text.String()
}

// sorted are a map's pairs in the order of its keys.
func sorted[V any](of map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(of)) {
			if !yield(key, of[key]) {
				return
			}
		}
	}
}
