package tokenserver

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// behaviour is what can be told to the server.
type behaviour struct {
	tokenLifetime       time.Duration
	credentialsLifetime time.Duration
	clockOffset         time.Duration
	region              string
	sessionTokenLength  int
	loginsRefused       time.Time // until then
	loginsFail          *pgproto3.ErrorResponse
	stsFails            time.Time
}

// rdsLifetime is how long RDS takes a token.
const rdsLifetime = 15 * time.Minute

var defaults = behaviour{
	tokenLifetime:       rdsLifetime,
	credentialsLifetime: time.Hour,
	region:              "eu-west-1",
	sessionTokenLength:  1000,
}

// forever is later than any test.
const forever = 365 * 24 * time.Hour

// Behave changes how the server behaves from now on. The behaviour is a URL query; what it does not name stays, and what
// it names without a value is as at the start:
//
//	tokenLifetime=20s         how long tokens are taken, from the date in them; at most, and at first, 15m
//	credentialsLifetime=60s   how long the credentials live that STS issues from now on; at first 1h
//	clockOffset=-10m          how far the server's clock, and STS's, is ahead of this machine's
//	region=eu-central-1       where tokens have to be signed for; at first eu-west-1
//	sessionTokenLength=2000   how many bytes the session token has that goes with credentials, about; at first 1000
//	loginsRefused=30s         for how long every token is refused: a duration, always or never
//	loginsFail=53300:voll     the SQLSTATE and the message, in any language, that a right token is answered with; at first none
//	stsFails=always           for how long STS answers 503: the same
func (s *Server) Behave(query string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	next, err := s.behaviour.changed(query, s.initial)
	if err == nil {
		s.behaviour = next
	}
	return err
}

// changed returns a behaviour as a query changes it. Initial has what a key without a value stands for.
func (b behaviour) changed(query string, initial behaviour) (behaviour, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return b, err
	}
	for key, given := range values {
		value := given[len(given)-1]
		var err error
		switch key {
		case "tokenLifetime":
			b.tokenLifetime, err = within(value, initial.tokenLifetime, time.Second, rdsLifetime)
		case "credentialsLifetime":
			b.credentialsLifetime, err = within(value, initial.credentialsLifetime, time.Second, 12*time.Hour)
		case "clockOffset":
			b.clockOffset, err = within(value, initial.clockOffset, -forever, forever)
		case "region":
			if b.region = value; value == "" {
				b.region = initial.region
			}
		case "sessionTokenLength":
			if b.sessionTokenLength = initial.sessionTokenLength; value != "" {
				b.sessionTokenLength, err = strconv.Atoi(value)
			}
			if err == nil && (b.sessionTokenLength < 300 || b.sessionTokenLength > 16_000) {
				err = fmt.Errorf("%s: expected 300 to 16000", value)
			}
		case "loginsRefused":
			b.loginsRefused, err = until(value, initial.loginsRefused)
		case "loginsFail":
			if b.loginsFail = initial.loginsFail; value != "" {
				b.loginsFail, err = fatal(value)
			}
		case "stsFails":
			b.stsFails, err = until(value, initial.stsFails)
		default:
			err = fmt.Errorf("no such behaviour")
		}
		if err != nil {
			return b, fmt.Errorf("%s: %w", key, err)
		}
	}
	return b, nil
}

var sqlState = regexp.MustCompile(`^[0-9A-Z]{5}$`)

// fatal returns a server's last words from SQLSTATE:MESSAGE.
func fatal(value string) (*pgproto3.ErrorResponse, error) {
	code, message, _ := strings.Cut(value, ":")
	if !sqlState.MatchString(code) || message == "" {
		return nil, errors.New(value + ": expected SQLSTATE:MESSAGE")
	}
	return &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: message}, nil
}

func within(value string, initial, least, most time.Duration) (time.Duration, error) {
	if value == "" {
		return initial, nil
	}
	duration, err := time.ParseDuration(value)
	if err == nil && (duration < least || duration > most) {
		err = fmt.Errorf("%s: expected %s to %s", value, least, most)
	}
	return duration, err
}

func until(value string, initial time.Time) (time.Time, error) {
	switch value {
	case "":
		return initial, nil
	case "never":
		return time.Time{}, nil
	case "always":
		return time.Now().Add(forever), nil
	}
	duration, err := time.ParseDuration(value)
	return time.Now().Add(duration), err
}
