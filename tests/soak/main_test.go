// Package soak has the tests of `make test-soak` that run an image which takes minutes to build.
package soak

import (
	"os"
	"testing"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m, testimages.Loki)) }
