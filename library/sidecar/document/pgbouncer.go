package document

// PgBouncer is what `outrigger pgbouncer` does: run pgbouncer with a password that changes.
type PgBouncer struct {
	// Name is the ambassador's, of the values.
	Name string `json:"name"`
	// Program is pgbouncer's path or name.
	Program string `json:"program,omitempty"` // pgbouncer where it is left out
	// Listen is where clients of the pod find it.
	Listen PgBouncerListen `json:"listen"`
	// Databases are those that clients may name.
	Databases map[string]PgBouncerDatabase `json:"databases"`
	// ProofDatabase is the one of Databases at which a password is proven.
	ProofDatabase string `json:"proofDatabase"`
	// Settings are pgbouncer's own, by their names, as its configuration has them; none of those that the program owns.
	Settings map[string]string `json:"settings,omitempty"`

	// AuthFile is a refresher's file of the format pgbouncer, which names the user too; how a proof ended stands beside it.
	AuthFile string `json:"authFile,omitempty"`
	// PasswordFile, in place of AuthFile, is a file with the password alone, and User its user.
	PasswordFile string `json:"passwordFile,omitempty"`
	User         string `json:"user,omitempty"`

	// Proof is how long the server may take for a proof: 10 where it is left out.
	Proof Seconds `json:"proofSeconds,omitzero"`
	// RetryMax is the longest wait before a password that was refused is tried again: 15.
	RetryMax Seconds `json:"retryMaxSeconds,omitzero"`
	// Quiet is how long there must be no client for it to end before the variable LINGER_SECONDS is over: 10.
	Quiet Seconds `json:"quietSeconds,omitzero"`
	// Stop is how long clients may stay after that: 5.
	Stop Seconds `json:"stopSeconds,omitzero"`
	// Patience is how long pgbouncer may take to say its version: one that fails to three times in a row hangs, and is
	// started anew. 5.
	Patience Seconds `json:"patienceSeconds,omitzero"`
	// Metrics is where SHOW POOLS and SHOW STATS are served; nowhere where it is left out.
	Metrics *Metrics `json:"metrics,omitempty"`
}

// PgBouncerListen is one of a port on loopback and a Unix socket.
type PgBouncerListen struct {
	// Port is pgbouncer's on 127.0.0.1, or, with a Directory, the number in the socket's name.
	Port int `json:"port"`
	// Directory is of the Unix socket, .s.PGSQL.PORT, which clients of any user may open; with it there is no TCP listener.
	Directory string `json:"directory,omitempty"`
}

// PgBouncerDatabase is a line of pgbouncer's section [databases].
type PgBouncerDatabase struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Database string `json:"database"`
	PoolMode string `json:"poolMode,omitempty"`
	PoolSize int    `json:"poolSize,omitempty"`
}
