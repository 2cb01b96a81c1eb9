// Package trust says whom the program's connections believe besides the public authorities.
package trust

import (
	"crypto/x509"
	"fmt"
	"os"
)

// Roots returns the public authorities and those in a file of certificates in PEM; nil, which is the public ones, where the
// path is empty. SSL_CERT_FILE would stand in place of them.
func Roots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return roots, nil
}
