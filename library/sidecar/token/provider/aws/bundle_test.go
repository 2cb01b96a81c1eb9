package aws

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

func TestAuthoritiesThatTheEnvironmentAddsForAWSAreTrusted(t *testing.T) {
	serviceAccount(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, assumed("ASIA1", time.Now().Add(time.Hour)))
	}))
	defer server.Close()
	directory := t.TempDir()
	write(t, directory, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	t.Setenv("AWS_CA_BUNDLE", filepath.Join(directory, "ca.pem"))
	t.Setenv("AWS_ENDPOINT_URL_STS", server.URL)
	p, err := NewRDS(document.AWSRDS{Host: "shop.abc.eu-central-1.rds.amazonaws.com", Port: 5432, User: "shop"}, nil)
	require.NoError(t, err)

	obtained, err := p.Obtain(t.Context())

	require.NoError(t, err)
	require.Contains(t, obtained.Password, "X-Amz-Credential=ASIA1")
}
