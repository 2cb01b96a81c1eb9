package token

// reason is what has failed, as the metrics have it.
type reason string

const (
	reasonProvider reason = "provider" // it gave no credential, or none that lives longer than the one in use
	reasonExpiry   reason = "expiry"   // nothing says when the credential expires, or it had expired
	reasonFormat   reason = "format"   // no file of the format can have it
	reasonFile     reason = "file"     // the file, or the state, was not written
	reasonUnproven reason = "unproven" // it was due before the server could be asked
	reasonRefused  reason = "refused"  // the server does not take it
)

var reasons = []reason{reasonProvider, reasonExpiry, reasonFormat, reasonFile, reasonUnproven, reasonRefused}

// failure is why an attempt ended without a credential in use.
type failure struct {
	error
	reason      reason
	explanation string // of why the server refused it, where that is known
}

func (f failure) Unwrap() error { return f.error }
