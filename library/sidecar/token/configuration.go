package token

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

// wrong says what is wrong at a place of the document.
func wrong(place, format string, arguments ...any) error {
	return document.ConfigurationError{Err: fmt.Errorf("%s: /token%s: %s", document.Variable, place, fmt.Sprintf(format, arguments...))}
}

// Of a retry that the document leaves out.
const defaultDelay, defaultMaxDelay = document.Seconds(1), document.Seconds(60)

// plainName is one that may be a directory's.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// check refuses a document that cannot work, and fills in what it leaves out.
func check(token *document.Token) error {
	if !plainName.MatchString(token.Name) {
		return wrong("/name", "%q is no name of a refresher", token.Name)
	}
	if path := token.File.Path; !filepath.IsAbs(path) || strings.HasSuffix(path, "/") {
		return wrong("/file/path", "%q is no absolute path of a file", path)
	}
	if token.TTL < 0 {
		return wrong("/ttlSeconds", "it is less than 0")
	}
	if token.Retry.Delay == 0 {
		token.Retry.Delay = defaultDelay
	}
	if token.Retry.MaxDelay == 0 {
		token.Retry.MaxDelay = max(defaultMaxDelay, token.Retry.Delay)
	}
	if token.Metrics != nil && (token.Metrics.Port < 1 || token.Metrics.Port > 65535) {
		return wrong("/metrics/port", "%d is no port", token.Metrics.Port)
	}
	if count := providers(token); count != 1 {
		return wrong("", "one of awsRds, awsDsql, azureDatabase, googleCloudSql, vault and exec says where the credential comes from, and there are %d", count)
	}
	if token.Exec != nil {
		return checkExec(token)
	}
	return nil
}

// providers counts those that a document names.
func providers(token *document.Token) (count int) {
	for _, is := range []bool{
		token.AWSRDS != nil, token.AWSDSQL != nil, token.AzureDatabase != nil,
		token.GoogleCloudSQL != nil, token.Vault != nil, token.Exec != nil,
	} {
		if is {
			count++
		}
	}
	return count
}

func checkExec(token *document.Token) error {
	switch of := token.Exec; {
	case len(of.Command) == 0:
		return wrong("/exec/command", "it is empty: write a program and its arguments")
	case of.Output != "raw" && of.Output != "json":
		return wrong("/exec/output", "there is no output %s: write raw or json", of.Output)
	case of.Output == "raw" && token.TTL == 0:
		return wrong("/exec/output", "an output that is raw has no expiry: set ttl")
	}
	return nil
}

// fileMode reads a mode in octal digits.
func fileMode(digits string) (fs.FileMode, error) {
	mode, err := strconv.ParseUint(digits, 8, 32)
	if err != nil || mode > 0o777 {
		return 0, errors.New("it is no mode: write octal digits, as in 0640")
	}
	return fs.FileMode(mode), nil
}
