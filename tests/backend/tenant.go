package backend

import (
	"crypto/tls"
	"encoding/json"
	"fmt"

	"github.com/outrigger-charts/outrigger/tests/tenants"
)

// TenantPorts are a tenant's, counted from its first one.
var TenantPorts = map[string]int{"otlp-http": 0, "otlp-grpc": 1, "otlp-https": 2}

// OpenTenant starts a backend that is a tenant of a process with several: its settings are a Certificate as JSON, which is
// empty where there is to be no HTTPS.
func OpenTenant(settings []byte, port int) (tenants.Tenant, error) {
	var certificate Certificate
	if err := json.Unmarshal(settings, &certificate); err != nil {
		return nil, err
	}
	at := func(name string) string { return fmt.Sprintf(":%d", port+TenantPorts[name]) }
	c := Config{Addresses: Addresses{HTTP: at("otlp-http"), GRPC: at("otlp-grpc")}}
	if len(certificate.Certificate) > 0 {
		var err error
		if c.Certificate, err = tls.X509KeyPair(certificate.Certificate, certificate.Key); err != nil {
			return nil, err
		}
		c.HTTPS = at("otlp-https")
	}
	b := New(c)
	if err := b.Start(); err != nil {
		return nil, err
	}
	return b, nil
}
