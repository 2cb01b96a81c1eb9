package pgbouncer

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// owned are the settings of pgbouncer's that are the program's: by another value pgbouncer would listen to others than
// the pod, have other passwords than those that were proven, or run out of the program's sight. So is all that begins
// with auth_.
var owned = map[string]bool{
	"conffile": true, "listen_addr": true, "listen_port": true, "logfile": true, "pidfile": true, "service_name": true,
	"unix_socket_dir": true, "unix_socket_group": true, "unix_socket_mode": true, "user": true,
}

var settingName = regexp.MustCompile(`^[a-z0-9_]+$`)

// checkSettings refuses what no configuration can hold, or is the program's. Whether pgbouncer knows a setting and
// takes its value only pgbouncer can say: see prover.
func checkSettings(settings map[string]string) error {
	for name, value := range sorted(settings) {
		switch {
		case owned[name] || strings.HasPrefix(name, "auth_"):
			return fmt.Errorf("settings/%s is the program's: pgbouncer listens to the pod alone, "+
				"and its passwords are proven; leave it out", name)
		case !settingName.MatchString(name):
			return fmt.Errorf("settings/%s is no setting's name; "+
				"write it as pgbouncer does, in small letters, digits and _", name)
		case strings.ContainsAny(value, "\r\n\x00"):
			return fmt.Errorf("settings/%s has a line break, "+
				"which pgbouncer's configuration cannot hold; remove it", name)
		}
	}
	return nil
}

// withDefaults are the settings, and those that the program sets unless they do.
//
// Of the parameters with which a client begins a session, also those in its `options` (-c NAME=VALUE), pgbouncer keeps
// what a server reports back (client_encoding, DateStyle, TimeZone, application_name, IntervalStyle, in 1.26
// search_path, and what track_extra_parameters names) and refuses all others, such as statement_timeout: whoever needs
// that has ALTER ROLE … SET. What ignore_startup_parameters names is dropped without a word, and that is done only of
// extra_float_digits, which JDBC sends always, and whose value is the server's default since PostgreSQL 12.
func withDefaults(settings map[string]string) map[string]string {
	all := map[string]string{
		"server_login_retry": "1", // after a failure a new password may come at any time
		"server_tls_sslmode": "verify-full",
		"log_connections":    "0", // an app without a pool of its own connects for each request
		"log_disconnections": "0",
	}
	maps.Copy(all, settings)
	const always = "extra_float_digits"
	ignored := strings.FieldsFunc(all["ignore_startup_parameters"], func(r rune) bool { return r == ',' || r == ' ' })
	if !slices.Contains(ignored, always) {
		ignored = append(ignored, always)
	}
	all["ignore_startup_parameters"] = strings.Join(ignored, ", ")
	return all
}
