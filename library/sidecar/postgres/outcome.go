package postgres

import (
	"strings"

	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// ProtocolViolation is the SQLSTATE that pgbouncer, and what is made after it, gives to whatever it says itself.
const ProtocolViolation = "08P01"

// refusals are the texts with which a pooler before the server refuses a credential under ProtocolViolation. What else
// it says so is of its own state: "no more connections allowed (max_client_conn)", "Timed-out waiting to acquire
// database connection".
var refusals = []string{
	"password authentication failed",
	"SASL authentication failed",
	`"trust" authentication failed`,
	"certificate authentication failed",
	"LDAP authentication failed",
	"PAM authentication failed",
	"login rejected",
	"no such user",
	"wrong password type",
}

// outcome is what an error of a server means for the credential. The SQLSTATE decides, as messages come in any
// language; only of poolers, which have one for everything and speak English, the text does.
func outcome(sqlState, message string) proof.Outcome {
	class := sqlState[:min(2, len(sqlState))]
	switch {
	case class == "28": // invalid authorization specification
		return proof.Refused
	case class == "3D", class == "42", class == "55":
		// A server looks for the database, its CONNECT privilege, and whether it takes connections, after the
		// credential.
		return proof.Misconfigured
	case sqlState == ProtocolViolation && refuses(message):
		return proof.Refused
	}
	return proof.Unanswered
}

func refuses(message string) bool {
	for _, text := range refusals {
		if strings.Contains(message, text) {
			return true
		}
	}
	return false
}
