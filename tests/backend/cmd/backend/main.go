// Command backend runs the tests' backend until it gets SIGTERM or an interrupt. Its control port opens others too, as
// tests/tenants says.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/tenants"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

func run() error {
	var c backend.Config
	flag.StringVar(&c.GRPC, "grpc", ":4317", "where OTLP/gRPC is received")
	flag.StringVar(&c.HTTP, "http", ":4318", "where OTLP/HTTP is received")
	https := flag.String("https", ":4319", "where OTLP/HTTPS is received, with -tls-cert and -tls-key")
	control := flag.String("control", ":8080", "where the backend is asked and told what to do")
	certificate := flag.String("tls-cert", "", "the certificate's file, PEM")
	key := flag.String("tls-key", "", "the key's file, PEM")
	flag.Parse()
	if *certificate != "" || *key != "" {
		var err error
		if c.Certificate, err = tls.LoadX509KeyPair(*certificate, *key); err != nil {
			return err
		}
		c.HTTPS = *https
	}
	b := backend.New(c)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	if err := b.Start(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "backend: listens at %+v\n", b.Addresses())
	others := &tenants.Server{Open: backend.OpenTenant}
	err := tenants.Serve(*control, b.Controls(), others, ended)
	others.Close()
	b.Close()
	return err
}
