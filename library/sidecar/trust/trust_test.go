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
)

func TestAuthoritiesOfTheValuesAreAddedToThePublicOnes(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.crt")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(file, own, 0o644))

	stranger, err := Client("")
	require.NoError(t, err)
	_, err = stranger.Get(server.URL)
	var unknown x509.UnknownAuthorityError
	assert.ErrorAs(t, err, &unknown)

	friend, err := Client(file)
	require.NoError(t, err)
	response, err := friend.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())

	roots, err := Roots(file)
	require.NoError(t, err)
	alone := x509.NewCertPool()
	alone.AppendCertsFromPEM(own)
	assert.False(t, roots.Equal(alone), "the public ones stay")
}

func TestAFileWithoutCertificatesIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.crt")
	_, err := Client(file)
	assert.ErrorContains(t, err, file)

	require.NoError(t, os.WriteFile(file, []byte("no certificate"), 0o644))
	_, err = Client(file)
	assert.EqualError(t, err, "trust: "+file+" has no certificate in PEM")
}

func TestNoProxyIsAskedForLoopback(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy.example:3128")
	t.Setenv("HTTP_PROXY", "http://proxy.example:3128")
	client, err := Client("")
	require.NoError(t, err)
	for _, url := range []string{"http://127.0.0.1:1", "https://localhost:1", "http://[::1]:1"} {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		require.NoError(t, err)

		proxy, err := client.Transport.(*http.Transport).Proxy(request)

		require.NoError(t, err)
		assert.Nil(t, proxy, url)
	}
}
