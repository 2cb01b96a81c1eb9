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
	"golang.org/x/crypto/x509roots/fallback/bundle"

	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

// public is the certificate of a public authority: ISRG Root X1, as https://letsencrypt.org/certificates/ has it.
func public(t *testing.T) *x509.Certificate {
	t.Helper()
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		require.NoError(t, err)
		if certificate.Subject.CommonName == "ISRG Root X1" {
			return certificate
		}
	}
	t.Fatal("ISRG Root X1 is no public authority")
	return nil
}

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

	for _, authority := range []*x509.Certificate{public(t), server.Certificate()} {
		_, err = authority.Verify(x509.VerifyOptions{Roots: roots})
		assert.NoError(t, err, authority.Subject)
	}
}

func TestAFileWithoutCertificatesIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.crt")
	_, err := Roots(file)
	assert.ErrorContains(t, err, file)

	require.NoError(t, os.WriteFile(file, []byte("no certificate"), 0o644))
	_, err = Roots(file)
	assert.EqualError(t, err, file+" has no certificate in PEM")
}
