package tokenserver

import (
	"crypto/tls"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/tenants"
)

// Tenant is what a server that is a tenant of a process with several is made from: Config has more of each.
type Tenant struct {
	Endpoint    string
	Upstream    Upstream
	Key         aws.Credentials
	Certificate backend.Certificate
	Behaviour   string
}

// TenantPorts are a tenant's, counted from its first one.
var TenantPorts = map[string]int{"postgres": 0, "sts": 1, "sts-tls": 2}

// OpenTenant starts a server from a Tenant as JSON.
func OpenTenant(settings []byte, port int) (tenants.Tenant, error) {
	var t Tenant
	if err := json.Unmarshal(settings, &t); err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(t.Certificate.Certificate, t.Certificate.Key)
	if err != nil {
		return nil, err
	}
	at := func(name string) string { return fmt.Sprintf(":%d", port+TenantPorts[name]) }
	s, err := New(Config{
		Addresses: Addresses{Postgres: at("postgres"), STS: at("sts"), STSTLS: at("sts-tls")},
		Endpoint:  t.Endpoint, Certificate: certificate, Upstream: t.Upstream, Key: t.Key, Behaviour: t.Behaviour,
	})
	if err != nil {
		return nil, err
	}
	if err := s.Start(); err != nil {
		return nil, err
	}
	return s, nil
}
