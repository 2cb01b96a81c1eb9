// Command tokenserver runs the tests' token server until it gets SIGTERM or an interrupt. The variable UPSTREAM_PASSWORD is
// that of all roles of the real server; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are the key that signs tokens, and
// that temporary credentials come from. Its control port opens others too, as tests/tenants says: without a certificate, they are all.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/outrigger-charts/outrigger/tests/tenants"
	"github.com/outrigger-charts/outrigger/tests/tokenserver"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tokenserver:", err)
		os.Exit(1)
	}
}

func run() error {
	var c tokenserver.Config
	flag.StringVar(&c.Postgres, "postgres", ":5432", "where tokens are checked")
	flag.StringVar(&c.STS, "sts", ":8080", "where STS answers")
	flag.StringVar(&c.STSTLS, "sts-tls", ":8443", "where STS answers over HTTPS")
	control := flag.String("control", ":8081", "where the server is asked and told what to do")
	flag.StringVar(&c.Endpoint, "endpoint", "", "the HOST:PORT that tokens are made for")
	flag.StringVar(&c.Upstream.Address, "upstream", "", "the real server's HOST:PORT")
	flag.StringVar(&c.Behaviour, "behave", "", "the behaviour at first, as a URL query")
	certificate := flag.String("tls-cert", "", "the certificate's file, PEM")
	key := flag.String("tls-key", "", "the key's file, PEM")
	flag.Parse()
	c.Upstream.Password = os.Getenv("UPSTREAM_PASSWORD")
	c.Key.AccessKeyID, c.Key.SecretAccessKey = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	own := http.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if *certificate != "" {
		var err error
		if c.Certificate, err = tls.LoadX509KeyPair(*certificate, *key); err != nil {
			return err
		}
		s, err := tokenserver.New(c)
		if err != nil {
			return err
		}
		if err := s.Start(); err != nil {
			return err
		}
		defer s.Close()
		fmt.Fprintf(os.Stderr, "tokenserver: listens at %+v\n", s.Addresses())
		own = s.Controls()
	}
	others := &tenants.Server{Open: tokenserver.OpenTenant}
	defer others.Close()
	return tenants.Serve(*control, own, others, ended)
}
