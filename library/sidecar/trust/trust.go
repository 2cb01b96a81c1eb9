// Package trust says whom the program's connections believe: the public authorities that are linked into it, or the image's,
// and those that the values add.
package trust

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Roots returns the public authorities and those in a file of certificates in PEM; nil, which is the public ones, where the
// path is empty. SSL_CERT_FILE would stand in place of them.
func Roots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("trust: %s has no certificate in PEM", path)
	}
	return roots, nil
}

// Client returns an HTTP client that believes Roots and takes the proxies of HTTPS_PROXY and NO_PROXY, of which none is ever
// asked for loopback.
func Client(path string) (*http.Client, error) {
	roots, err := Roots(path)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	// Credentials are asked for every few minutes: what is open until then costs memory, and may be dead.
	transport.IdleConnTimeout = 5 * time.Second
	return &http.Client{Transport: transport}, nil
}
