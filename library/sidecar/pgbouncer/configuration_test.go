package pgbouncer

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/health"
)

func TestAConfigurationHasEachDatabaseAndSettingOnce(t *testing.T) {
	text := configuration(map[string]document.PgBouncerDatabase{
		"shop":    {Host: "db-1,db-2", Port: 5432, Database: "it's the shop", PoolMode: "session", PoolSize: 3},
		"a.b-c_1": {Host: "/run/postgresql", Port: 5433, Database: "x"},
	}, map[string]string{"pool_mode": "session", "verbose": "1"},
		map[string]string{"pool_mode": "transaction", "auth_type": "trust"})

	assert.Equal(t, `[databases]
a.b-c_1 = host='/run/postgresql' port='5433' dbname='x'
shop = host='db-1,db-2' port='5432' dbname='it''s the shop' pool_mode='session' pool_size='3'
[pgbouncer]
auth_type = trust
pool_mode = transaction
verbose = 1
`, text)
}

func TestSettingsWinOverTheProgramsDefaultsButForWhatClientsNeed(t *testing.T) {
	settings := withDefaults(map[string]string{"log_connections": "1", "ignore_startup_parameters": "options,a"})

	assert.Equal(t, map[string]string{
		"server_login_retry": "1", "server_tls_sslmode": "verify-full", "log_connections": "1", "log_disconnections": "0",
		"ignore_startup_parameters": "options, a, extra_float_digits",
	}, settings)
	for _, named := range []string{"extra_float_digits", "a, extra_float_digits"} {
		assert.Equal(t, named, withDefaults(map[string]string{"ignore_startup_parameters": named})["ignore_startup_parameters"])
	}
}

func TestWhatIsWrongInADocumentIsNamed(t *testing.T) {
	type config = document.PgBouncer
	for said, change := range map[string]func(*config){
		"one of authFile and passwordFile is needed, and not both": func(c *config) { c.AuthFile = "" },
		"authFile and passwordFile is needed, and not both":        func(c *config) { c.PasswordFile = "/p" },
		"user is missing":                        func(c *config) { c.AuthFile, c.PasswordFile = "", "/p" },
		"listen/port is 0":                       func(c *config) { c.Listen.Port = 0 },
		"listen/port is 70000":                   func(c *config) { c.Listen.Port = 70000 },
		`proofDatabase is "x", which is none of`: func(c *config) { c.ProofDatabase = "x" },
		"databases/pgbouncer is the name of":     func(c *config) { c.Databases["pgbouncer"] = c.Databases["shop"] },
		"databases/* is no name":                 func(c *config) { c.Databases["*"] = c.Databases["shop"] },
		"databases/x has a line break":           func(c *config) { c.Databases["x"] = document.PgBouncerDatabase{Host: "a\nb"} },
		"settings/verbose has a line break":      func(c *config) { c.Settings["verbose"] = "1\nauth_type = any" },
		"settings/auth_hba_file is the program":  func(c *config) { c.Settings["auth_hba_file"] = "/x" },
		"settings/listen_port is the program":    func(c *config) { c.Settings["listen_port"] = "1" },
		"settings/unix_socket_group is the pro":  func(c *config) { c.Settings["unix_socket_group"] = "x" },
		"settings/%include is no setting's name": func(c *config) { c.Settings["%include"] = "/x" },
	} {
		of := config{
			Listen: document.PgBouncerListen{Port: 6432}, AuthFile: "/tokens/users.txt", ProofDatabase: "shop",
			Databases: map[string]document.PgBouncerDatabase{"shop": {Host: "db", Port: 5432}},
			Settings:  map[string]string{"pkt_buf": "4096"},
		}
		require.NoError(t, check(of))

		change(&of)

		require.ErrorContains(t, check(of), said)
	}
}

func TestASocketsPathThatTheKernelCannotHoldIsToldByItsLength(t *testing.T) {
	t.Setenv(health.StateVariable, "/"+strings.Repeat("x", 90))

	_, err := newPlace(document.PgBouncer{Listen: document.PgBouncerListen{Port: 6432}})

	require.ErrorContains(t, err, "the socket's path has 111 bytes, and 100 are the most")
}

func TestTheAuthoritiesAreThePublicOnes(t *testing.T) {
	count := 0
	for block, rest := pem.Decode(authorities()); block != nil; block, rest = pem.Decode(rest) {
		_, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		count++
	}

	assert.Greater(t, count, 100)
}
