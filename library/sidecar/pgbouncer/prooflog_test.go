package pgbouncer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

const at = "2026-11-28 22:46:17.975 UTC [10054] "

func TestWhatAProofWithoutARowMeans(t *testing.T) {
	own := func(message string) proof.Verdict {
		return proof.Verdict{Outcome: proof.Unanswered, SQLState: "08P01", Reason: message}
	}
	silence := proof.Verdict{Outcome: proof.Unanswered, Reason: "no answer within 10 seconds"}
	for name, test := range map[string]struct {
		log          []string
		answer, want proof.Verdict
	}{
		"a server's word by its SQLSTATE": {
			[]string{"WARNING server login failed: FATAL password authentication failed"},
			proof.Verdict{Outcome: proof.Refused, SQLState: "28P01", Reason: "password authentication failed"},
			proof.Verdict{Outcome: proof.Refused, SQLState: "28P01", Reason: "password authentication failed"},
		},
		"another pooler's word, of which the log has the beginning": {
			[]string{"WARNING server login failed: FATAL no more connections"},
			own("no more connections allowed (max_client_conn)"), own("no more connections allowed (max_client_conn)"),
		},
		"a server that starts all the time": {
			[]string{"WARNING server login failed: FATAL the database system is starting up"},
			own("query_wait_timeout"), proof.Verdict{Outcome: proof.Unanswered, Reason: "the database system is starting up"},
		},
		"the same in another language": {
			[]string{"WARNING server login failed: SCHWERWIEGEND das Datenbanksystem startet"},
			silence, proof.Verdict{Outcome: proof.Unanswered, Reason: "das Datenbanksystem startet"},
		},
		"nobody at the server's address": {
			[]string{
				"LOG S-0x5: shop/a@b@127.0.0.1:5432 closing because: connect failed (age=0s)",
				"WARNING C-0x1: shop/a@b@unix:6432 pooler error: query_wait_timeout",
			},
			own("query_wait_timeout"), proof.Verdict{Outcome: proof.Unanswered, Reason: "127.0.0.1:5432: connect failed"},
		},
		"a server of another name": {
			[]string{
				"WARNING TLS handshake error: certificate verify failed",
				"LOG S-0x5: a/b@c:1 closing because: server conn crashed? (age=0s)",
			},
			silence, proof.Verdict{Outcome: proof.Unanswered, Reason: "TLS handshake error: certificate verify failed"},
		},
		"a file that pgbouncer cannot read": {
			[]string{
				"ERROR password too long in auth file",
				`WARNING C-0x1: shop/(nouser)@unix:6432 pooler error: "trust" authentication failed`,
			},
			proof.Verdict{Outcome: proof.Refused, SQLState: "08P01", Reason: `"trust" authentication failed`},
			proof.Verdict{Outcome: proof.Refused, Reason: "pgbouncer cannot read it: password too long in auth file"},
		},
		"nothing but a remark": {[]string{"WARNING bug in src/util.c:1: message was truncated"}, silence, silence},
	} {
		t.Run(name, func(t *testing.T) {
			log := &proofLog{}
			for _, line := range test.log {
				_, _ = log.Write([]byte(at + line + "\n"))
			}

			assert.Equal(t, test.want, log.judge(test.answer))
		})
	}
}

func TestAPgBouncerThatEndedIsToldByItsFirstError(t *testing.T) {
	for want, lines := range map[string][]string{
		"unknown parameter: pgbouncer/x": {"WARNING odd", "ERROR unknown parameter: pgbouncer/x", "FATAL cannot load config file"},
		"odd":                            {"WARNING odd"},
		"it ended with exit code 7":      {"LOG kernel file descriptor limit"},
	} {
		log := &proofLog{}
		text := at + strings.Join(lines, "\n"+at) + "\n"

		// As a pipe may hand it over.
		for _, part := range []string{text[:5], text[5:40], text[40:]} {
			_, _ = log.Write([]byte(part))
		}

		assert.Equal(t, want, log.whyEnded(7))
	}
}

func TestALogWithoutLinesTakesNoRoom(t *testing.T) {
	log := &proofLog{}
	for range 100 {
		_, _ = log.Write(make([]byte, 4096))
	}

	assert.LessOrEqual(t, len(log.rest), 64<<10)
}
