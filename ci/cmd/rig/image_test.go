package main

import (
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

func TestARegistryHasTheImageForEachArchitectureByTheDigestThatTheTestsRun(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	r, err := rig.Open(io.Discard)
	require.NoError(t, err)
	defer r.Close()

	pushed, err := push(t.Context(), r, strings.TrimPrefix(server.URL, "http://")+"/team")

	require.NoError(t, err)
	assert.Contains(t, pushed, "/team/outrigger:"+version.Version+"@sha256:")
	reference, err := name.NewDigest(pushed[:strings.Index(pushed, ":"+version.Version+"@")] + pushed[strings.Index(pushed, "@"):])
	require.NoError(t, err)
	index, err := remote.Index(reference)
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	digests := map[string]v1.Hash{}
	for _, image := range manifest.Manifests {
		digests[image.Platform.String()] = image.Digest
	}
	assert.Len(t, digests, 2)
	assert.Contains(t, digests, "linux/arm64")
	shipped, err := rig.Shipped(t.Context(), io.Discard)
	require.NoError(t, err)
	tested, err := shipped.Digest()
	require.NoError(t, err)
	assert.Contains(t, slices.Collect(maps.Values(digests)), tested)
}
