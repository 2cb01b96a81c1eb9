// Package restart restarts the cluster's node. It must run alone and last: `make test` sees to that.
package restart

import (
	"os"
	"testing"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
