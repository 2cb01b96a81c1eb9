// Package document is the seam between the chart and the program: what a container is to do, as JSON in its variable
// OUTRIGGER_CONFIG. The templates write it, the program reads it, and nothing else passes between them but files, and
// variables of the pod's own (its name, its node) that Kubernetes fills in.
//
// A document is {"version": "0.1", VERB: {…}}, with one verb. It is read strictly, so that a chart and a program that do not
// belong together say so at once: a key that nobody reads, one that is missing, one that is there twice or written with other
// capitals is an error that names it.
package document

import (
	"errors"
	"fmt"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

// Variable is the name of the container's variable that has the document.
const Variable = "OUTRIGGER_CONFIG"

// ConfigurationError is that what a verb was told is wrong: starting it again does not help.
type ConfigurationError struct{ Err error }

func (e ConfigurationError) Error() string { return e.Err.Error() }
func (e ConfigurationError) Unwrap() error { return e.Err }

// ExitCode is the program's.
func (ConfigurationError) ExitCode() int { return 2 }

// FromEnvironment reads the verb's part of the document in OUTRIGGER_CONFIG into a pointer to one of this package's types, and
// takes the variable out of the process's environment, so that no child inherits it. Its error is a ConfigurationError.
func FromEnvironment(verb string, into any) error {
	text, found := os.LookupEnv(Variable)
	if !found {
		return ConfigurationError{fmt.Errorf("%s is not set; a container that the chart makes has it", Variable)}
	}
	if err := os.Unsetenv(Variable); err != nil {
		return err
	}
	if err := Read([]byte(text), verb, into); err != nil {
		return ConfigurationError{err}
	}
	return nil
}

// Read reads the verb's part of a document into a pointer to one of this package's types.
func Read(text []byte, verb string, into any) error {
	if err := checkVersion(text); err != nil {
		return err
	}
	var parts map[string]jsontext.Value
	if err := json.Unmarshal(text, &parts); err != nil {
		return fmt.Errorf("%s: %w", Variable, err)
	}
	part, found := parts[verb]
	if !found {
		return fmt.Errorf("%s has no %q, which this command needs", Variable, verb)
	}
	for key := range parts {
		if key != "version" && key != verb {
			return fmt.Errorf("%s has %q, which %q does not read", Variable, key, verb)
		}
	}
	if err := json.Unmarshal(part, into, json.RejectUnknownMembers(true)); err != nil {
		return wrong(verb, err)
	}
	if missing := firstMissing(part, into); missing != "" {
		return fmt.Errorf("%s: /%s%s is missing", Variable, verb, missing)
	}
	return nil
}

// wrong says where a part is wrong.
func wrong(verb string, err error) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return fmt.Errorf("%s: /%s: %w", Variable, verb, err)
	}
	if errors.Is(err, json.ErrUnknownName) {
		return fmt.Errorf("%s: /%s%s: there is no such key", Variable, verb, semantic.JSONPointer)
	}
	return fmt.Errorf("%s: /%s%s: %w", Variable, verb, semantic.JSONPointer, err)
}

// checkVersion is done before all else: what else is wrong with another version's document would only mislead.
func checkVersion(text []byte) error {
	var of struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &of); err != nil {
		return fmt.Errorf("%s: %w", Variable, err)
	}
	if own := version.Minor(version.Version); of.Version != own {
		return fmt.Errorf("document of %q, program of %q: set images.outrigger to the image of the chart's own version", of.Version, own)
	}
	return nil
}
