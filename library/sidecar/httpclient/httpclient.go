// Package httpclient is the one way in which the program makes requests to services outside of its pod.
package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// Limit is how long a request may take, its answer included, and all that a person or a credential waits for.
const Limit = 30 * time.Second

const (
	connectLimit = 5 * time.Second
	// metadataLimit is for what is on the node or nowhere.
	metadataLimit = 2 * time.Second
)

// New returns a client that goes through the proxies that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name, but for loopback addresses
// and for metadata servers, which are the pod's and the node's own. It trusts the given authorities, or the system's where
// there are none. Its Transport is an *http.Transport.
func New(roots *x509.CertPool) *http.Client {
	proxy := httpproxy.FromEnvironment().ProxyFunc()
	return &http.Client{Timeout: Limit, Transport: &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if ofTheNode(r.URL.Hostname()) {
				return nil, nil
			}
			return proxy(r.URL)
		},
		DialContext:         dial,
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: connectLimit,
		ForceAttemptHTTP2:   true,
		// A credential is fetched every few minutes at most.
		MaxIdleConns:    4,
		IdleConnTimeout: 10 * time.Second,
	}}
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: connectLimit}
	if host, _, err := net.SplitHostPort(address); err == nil && ofTheNode(host) {
		dialer.Timeout = metadataLimit
	}
	return dialer.DialContext(ctx, network, address)
}

// ofTheNode tells whether a host is a metadata server: of EC2, EKS, Azure or Google.
func ofTheNode(host string) bool {
	switch host {
	case "metadata.google.internal", "metadata", "fd00:ec2::254", "fd00:ec2::23":
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLinkLocalUnicast()
}
