package testimages

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

const collectorVersion = "0.158.0" // that of ci/modules/collector

// collector is the library's default image for what ships with OpenTelemetry: a program and the
// certificates of public authorities, without a shell. Who runs it names the configuration.
var collector = Image{
	Ref:     "docker.io/otel/opentelemetry-collector-k8s:" + collectorVersion,
	MadeOf:  "the OpenTelemetry Collector " + collectorVersion + " of the same Go modules, only the components that the tests use",
	Key:     forky.key(),
	Built:   []tools.Module{tools.Collector()},
	StandIn: collectorStandIn,
}

func collectorStandIn(ctx context.Context, e Env) (image.Spec, error) {
	dir, _, err := e.builder().Build(ctx, e.Log, tools.Collector())
	if err != nil {
		return image.Spec{}, err
	}
	authorities, err := certificates(ctx, e)
	if err != nil {
		return image.Spec{}, err
	}
	f := image.NewFiles()
	if err := f.Copy("otelcol-k8s", 0o755, filepath.Join(dir, "otelcol-k8s")); err != nil {
		return image.Spec{}, err
	}
	return image.Spec{Files: f, Config: v1.Config{
		User:       "10001:10001",
		Entrypoint: []string{"/otelcol-k8s"},
		Env:        []string{searchPath},
		ExposedPorts: map[string]struct{}{
			"4317/tcp": {}, "4318/tcp": {}, "55679/tcp": {}, "6831/tcp": {}, "14268/tcp": {}, "14250/tcp": {}, "9411/tcp": {},
		},
	}}, f.Copy("etc/ssl/certs/ca-certificates.crt", 0o644, authorities)
}

// certificates returns the path of a file with all certificates of Debian's ca-certificates, which are
// Mozilla's, as upstream's are.
func certificates(ctx context.Context, e Env) (string, error) {
	bundle := filepath.Join(e.Cache, "rootfs", "ca-certificates-"+new(cache.Key).Add(forky.key()...).String()+".crt")
	_, err := cache.Make(ctx, bundle, func(tmp string) error {
		files, err := forky.files(ctx, e, "ca-certificates")
		if err != nil {
			return err
		}
		var all strings.Builder
		for _, name := range files.Match("usr/share/ca-certificates/mozilla/*.crt") {
			certificate, err := files.Read(name)
			if err != nil {
				return err
			}
			all.WriteString(certificate)
		}
		if all.Len() == 0 {
			return errors.New("package ca-certificates has no certificates")
		}
		return os.WriteFile(tmp, []byte(all.String()), 0o644)
	})
	return bundle, err
}
