package tokenserver

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// session is what a session token says. It says all, so that a server that starts again knows what it issued.
type session struct {
	AccessKeyID string
	Expires     time.Time
	ARN         string // of who calls
	Padding     string
}

var errUnknownKey = errors.New("unknown key")

// issue returns new temporary credentials.
func (s *Server) issue(arn string) aws.Credentials {
	told, now := s.now()
	issued := session{
		AccessKeyID: "ASIA" + rand.Text()[:16],
		Expires:     now.Add(told.credentialsLifetime).UTC().Truncate(time.Second),
		ARN:         arn,
	}
	text := func() []byte {
		encoded, _ := json.Marshal(issued) // of such fields it cannot fail
		return encoded
	}
	if lacks := told.sessionTokenLength/4*3 - sha256.Size - len(text()); lacks > 0 {
		issued.Padding = strings.Repeat("x", lacks)
	}
	said := text()
	token := base64.StdEncoding.EncodeToString(append(s.mac("token", said), said...))
	return aws.Credentials{
		AccessKeyID: issued.AccessKeyID, SecretAccessKey: s.secret(token), SessionToken: token,
		CanExpire: true, Expires: issued.Expires,
	}
}

// known returns the credentials of a key and the session token that came with it, and whose they are.
func (s *Server) known(accessKeyID, sessionToken string) (credentials aws.Credentials, arn string, err error) {
	if sessionToken == "" {
		if accessKeyID != s.config.Key.AccessKeyID {
			return aws.Credentials{}, "", errUnknownKey
		}
		return s.config.Key, "arn:aws:iam::" + account + ":user/shop", nil
	}
	raw, err := base64.StdEncoding.DecodeString(sessionToken)
	if err != nil || len(raw) < sha256.Size || !hmac.Equal(raw[:sha256.Size], s.mac("token", raw[sha256.Size:])) {
		return aws.Credentials{}, "", errUnknownKey
	}
	var issued session
	if err := json.Unmarshal(raw[sha256.Size:], &issued); err != nil || issued.AccessKeyID != accessKeyID {
		return aws.Credentials{}, "", errUnknownKey
	}
	return aws.Credentials{
		AccessKeyID: accessKeyID, SecretAccessKey: s.secret(sessionToken), SessionToken: sessionToken,
		CanExpire: true, Expires: issued.Expires,
	}, issued.ARN, nil
}

func (s *Server) secret(sessionToken string) string {
	return base64.StdEncoding.EncodeToString(s.mac("secret", []byte(sessionToken)))[:40]
}

func (s *Server) mac(purpose string, of []byte) []byte {
	mac := hmac.New(sha256.New, []byte(s.config.Key.SecretAccessKey))
	mac.Write([]byte(purpose + "\n"))
	mac.Write(of)
	return mac.Sum(nil)
}
