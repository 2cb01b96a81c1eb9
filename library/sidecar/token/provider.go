package token

import (
	"errors"
	"net/http"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/output"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/aws"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/azure"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/command"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/google"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/vault"
)

// provider returns where a document's credentials come from: services are asked by a client, commands run as the options say.
func provider(of document.Token, client *http.Client, options command.Options) (credential.Provider, error) {
	switch {
	case of.AWSRDS != nil:
		return aws.NewRDS(*of.AWSRDS, client)
	case of.AWSDSQL != nil:
		return aws.NewDSQL(*of.AWSDSQL, client)
	case of.AzureDatabase != nil:
		return azure.New(*of.AzureDatabase, client)
	case of.GoogleCloudSQL != nil:
		return google.New(*of.GoogleCloudSQL, client)
	case of.Vault != nil:
		return vault.New(*of.Vault, client)
	case of.Exec != nil:
		options.Spec = output.Spec{
			JSON:          of.Exec.Output == "json",
			Pointers:      of.Exec.Pointers,
			KnownUsername: of.File.User != "",
			KnownLife:     of.TTL > 0,
		}
		return command.New(*of.Exec, options), nil
	}
	return nil, errors.New("there is no provider: set one of awsRds, awsDsql, azureDatabase, googleCloudSql, vault and exec")
}
