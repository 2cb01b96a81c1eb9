package trust

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

func TestAuthoritiesOfTheValuesAreAddedToThePublicOnes(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.crt")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(file, own, 0o644))

	none, err := Roots("")
	require.NoError(t, err)
	_, err = httpclient.New(none).Get(server.URL)
	var unknown x509.UnknownAuthorityError
	assert.ErrorAs(t, err, &unknown)

	roots, err := Roots(file)
	require.NoError(t, err)
	response, err := httpclient.New(roots).Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())

	alone := x509.NewCertPool()
	alone.AppendCertsFromPEM(own)
	assert.False(t, roots.Equal(alone), "the public ones stay")
}

func TestAFileWithoutCertificatesIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.crt")
	_, err := Roots(file)
	assert.ErrorContains(t, err, file)

	require.NoError(t, os.WriteFile(file, []byte("no certificate"), 0o644))
	_, err = Roots(file)
	assert.EqualError(t, err, file+" has no certificate in PEM")
}
