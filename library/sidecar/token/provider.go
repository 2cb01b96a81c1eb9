package token

import (
	"errors"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/output"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/command"
)

// provider returns where a document's credentials come from. The options are those of a command but for how its output is read.
func provider(of document.Token, options command.Options) (credential.Provider, error) {
	switch {
	case of.Exec != nil:
		options.Spec = output.Spec{
			JSON:          of.Exec.Output == "json",
			Pointers:      of.Exec.Pointers,
			KnownUsername: of.File.User != "",
			KnownLife:     of.TTL > 0,
		}
		return command.New(*of.Exec, options), nil
	default:
		return nil, errors.New("not built in yet")
	}
}
