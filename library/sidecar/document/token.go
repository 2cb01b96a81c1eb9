package document

import "time"

// Seconds is a time span in seconds, which may have a fraction.
type Seconds float64

// Duration is the same as Go has it.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// Token is what `outrigger token` does: keep a short-lived credential in a file.
type Token struct {
	// Name is the refresher's, of the values, by which its log lines and its state go.
	Name string `json:"name"`
	// File is where the credential is written.
	File TokenFile `json:"file"`
	// TTL is how long a credential lives at most: the earlier of this and of what the provider says counts.
	TTL Seconds `json:"ttlSeconds,omitempty,omitzero"`
	// Retry is how long is waited after a failure.
	Retry Retry `json:"retry,omitempty,omitzero"`
	// Provers are the names of the pgbouncers of the pod that prove the file: a credential is in use when all of them have
	// taken it.
	Provers []string `json:"provers,omitempty"`
	// Notify is whom to tell that the file was replaced.
	Notify Notify `json:"notify,omitempty,omitzero"`
	// Metrics is where the metrics are served; nowhere where it is left out.
	Metrics *TokenMetrics `json:"metrics,omitempty"`
	// Trust is a file of certificates, in PEM, of authorities that are trusted besides the public ones.
	Trust string `json:"trust,omitempty"`

	// One of these says where the credential comes from.
	AWSRDS         *AWSRDS         `json:"awsRds,omitempty"`
	AWSDSQL        *AWSDSQL        `json:"awsDsql,omitempty"`
	AzureDatabase  *AzureDatabase  `json:"azureDatabase,omitempty"`
	GoogleCloudSQL *GoogleCloudSQL `json:"googleCloudSql,omitempty"`
	Vault          *Vault          `json:"vault,omitempty"`
	Exec           *TokenExec      `json:"exec,omitempty"`
}

// TokenFile is a file with a credential.
type TokenFile struct {
	// Path is absolute.
	Path string `json:"path"`
	// Format is pgbouncer, pgpass, env, json, raw or template.
	Format string `json:"format"`
	// Mode is the file's, in octal digits: "0640".
	Mode string `json:"mode"`
	// Template is the text of the format template.
	Template string `json:"template,omitempty"`
	// User is written in place of the credential's own.
	User string `json:"user,omitempty"`
	// Host, Port and Database are what formats have besides.
	Host     string `json:"host,omitempty"`
	Port     string `json:"port,omitempty"`
	Database string `json:"database,omitempty"`
}

// Retry is how long is waited after a failure: Delay after the first, twice that after the next, up to MaxDelay.
type Retry struct {
	Delay    Seconds `json:"delaySeconds,omitempty,omitzero"`    // 1 where it is left out
	MaxDelay Seconds `json:"maxDelaySeconds,omitempty,omitzero"` // 60
}

// Notify is whom to tell that a file was replaced: all that are named.
type Notify struct {
	Signal *NotifySignal `json:"signal,omitempty"`
	HTTP   *NotifyHTTP   `json:"http,omitempty"`
	Exec   *NotifyExec   `json:"exec,omitempty"`
}

// NotifySignal is a signal for each process of a name in the pod's shared process namespace.
type NotifySignal struct {
	Process string `json:"process"`
	Signal  string `json:"signal,omitempty"` // without SIG; HUP where it is left out
}

// NotifyHTTP is a request without a body.
type NotifyHTTP struct {
	URL    string `json:"url"`
	Method string `json:"method,omitempty"` // GET or POST; POST where it is left out
}

// NotifyExec is a command.
type NotifyExec struct {
	Command []string `json:"command"`
}

// Metrics is where Prometheus finds metrics.
type Metrics struct {
	Port int `json:"port"`
}

// TokenMetrics is where Prometheus finds a refresher's metrics, and whose they are.
type TokenMetrics struct {
	Port int `json:"port"`
	// Owner is the release and the chart, by which metrics of refreshers of one name in a namespace are told apart.
	Owner string `json:"owner,omitempty"`
}

// AWSRDS is a user of RDS or Aurora who logs in by IAM.
type AWSRDS struct {
	Host   string `json:"host"`
	Port   int    `json:"port"`
	User   string `json:"user"`
	Region string `json:"region,omitempty"` // the host's, else the environment's, where it is left out
	// CredentialsDirectory has files by the names of AWS's variables, which sign the token, and may be replaced: a Secret's
	// volume. Left out: what AWS's SDK finds.
	CredentialsDirectory string `json:"credentialsDirectory,omitempty"`
}

// AWSDSQL is a user of Aurora DSQL.
type AWSDSQL struct {
	Host                 string `json:"host"`
	User                 string `json:"user"` // admin gets an admin's token
	Region               string `json:"region,omitempty"`
	CredentialsDirectory string `json:"credentialsDirectory,omitempty"`
}

// AzureDatabase is a user of Azure's databases who logs in by Microsoft Entra: by the pod's workload identity, else by the
// node's managed identity.
type AzureDatabase struct {
	Host string `json:"host,omitempty"`
	User string `json:"user,omitempty"`
}

// GoogleCloudSQL is a user of Cloud SQL who logs in by IAM: by the service account of the metadata server, or of the file
// that GOOGLE_APPLICATION_CREDENTIALS names.
type GoogleCloudSQL struct {
	Host string `json:"host,omitempty"`
	User string `json:"user,omitempty"`
}

// Vault is a secret of Vault's or OpenBao's.
type Vault struct {
	Address   string `json:"address"`
	Namespace string `json:"namespace,omitempty"`
	// Path is what is read: database/creds/shop, database/static-creds/shop, secret/shop of a key-value store.
	Path string `json:"path"`
	// Engine is database or kv; by the answer where it is left out.
	Engine string `json:"engine,omitempty"`
	// Keys are those of a key-value secret that have the user and the password.
	UsernameKey string `json:"usernameKey,omitempty"` // username where it is left out
	PasswordKey string `json:"passwordKey,omitempty"` // password
	// One of these logs in; left out: VAULT_TOKEN of the environment.
	Kubernetes *VaultKubernetes `json:"kubernetes,omitempty"`
	AppRole    *VaultAppRole    `json:"appRole,omitempty"`
	TokenFile  string           `json:"tokenFile,omitempty"`
}

// VaultKubernetes logs in by the pod's service account.
type VaultKubernetes struct {
	Role      string `json:"role"`
	Mount     string `json:"mount,omitempty"`     // kubernetes where it is left out
	TokenFile string `json:"tokenFile,omitempty"` // the service account's token, where it is not at its usual place
}

// VaultAppRole logs in by a role's id and its secret id, each in a file.
type VaultAppRole struct {
	RoleIDFile   string `json:"roleIdFile"`
	SecretIDFile string `json:"secretIdFile"`
	Mount        string `json:"mount,omitempty"` // approle where it is left out
}

// TokenExec is a command that prints a credential on its standard output.
type TokenExec struct {
	Command []string `json:"command"`
	// Output is raw: all of it but a newline at its end is the password; or json.
	Output string `json:"output"`
	// Timeout is after how long the command is ended: 30 where it is left out.
	Timeout Seconds `json:"timeoutSeconds,omitempty,omitzero"`
	// Pointers are where things are in JSON.
	Pointers TokenPointers `json:"pointers,omitempty,omitzero"`
	// Explain is a command that prints one line about why a credential may have been refused.
	Explain []string `json:"explain,omitempty"`
}

// TokenPointers are JSON pointers (RFC 6901). Where one is left out it is that of kubectl's ExecCredential, of AWS's
// credential_process, or of {"username", "password", "expiresAt", "signedUntil"}.
type TokenPointers struct {
	Password    string `json:"password,omitempty"`
	Username    string `json:"username,omitempty"`
	ExpiresAt   string `json:"expiresAt,omitempty"`
	TTL         string `json:"ttl,omitempty"` // seconds, in place of expiresAt
	SignedUntil string `json:"signedUntil,omitempty"`
}
