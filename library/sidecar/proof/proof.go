// Package proof is how a refresher and the pgbouncers of its pod speak of a credential: by files beside the credential's, each
// replaced as a whole and as readable as that file is.
//
//	.outrigger-AMBASSADOR           how a proof ended: written by the ambassador
//	.outrigger-FILE.issued          until when the credential of FILE lives: written by the refresher
package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/files"
)

// Outcome is how a proof ended.
type Outcome string

// The outcomes of a proof.
const (
	// Accepted: the server let the user in.
	Accepted Outcome = "accepted"
	// Misconfigured: the server took the credential, and refused what came after (a database that there is not): the credential
	// is as good as accepted.
	Misconfigured Outcome = "misconfigured"
	// Refused: the server does not take the credential.
	Refused Outcome = "refused"
	// Unanswered: the server could not be asked, or could not say.
	Unanswered Outcome = "unanswered"
	// Unproven: it was unanswered, and is in use all the same, as the one before has expired.
	Unproven Outcome = "unproven"
)

// InUse tells whether a credential of such an outcome is the one that clients' connections are made with.
func (o Outcome) InUse() bool { return o == Accepted || o == Misconfigured || o == Unproven }

// Verdict is an outcome for one credential.
type Verdict struct {
	Sum      string  `json:"sha256"` // of the credential's file
	Outcome  Outcome `json:"outcome"`
	SQLState string  `json:"sqlState,omitempty"`
	Reason   string  `json:"reason,omitempty"` // in a line
}

// Issued is until when a credential lives.
type Issued struct {
	Sum       string    `json:"sha256"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Sum is how the content of a credential's file is named.
func Sum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// VerdictPath is where an ambassador's verdict on a credential's file stands.
func VerdictPath(file, ambassador string) string {
	return filepath.Join(filepath.Dir(file), ".outrigger-"+ambassador)
}

// IssuedPath is where a refresher says until when its file's credential lives. A pgbouncer that reads the file finds it
// beside, by the file's own name.
func IssuedPath(file string) string {
	return filepath.Join(filepath.Dir(file), ".outrigger-"+filepath.Base(file)+".issued")
}

// Read reads a Verdict or an Issued, and tells whether there is a whole one.
func Read(path string, into any) bool {
	content, err := os.ReadFile(path)
	return err == nil && json.Unmarshal(content, into) == nil
}

// Write replaces a Verdict or an Issued.
func Write(path string, value any, mode fs.FileMode) error {
	content, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return files.Replace(path, append(content, '\n'), mode)
}
