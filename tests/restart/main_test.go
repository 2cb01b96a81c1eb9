// Package restart restarts the cluster's node. It must run alone and last: `make test` sees to that.
package restart

import (
	"os"
	"testing"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// TestAfterARestartOfTheNode restarts the node once for all: each promise is prepared before, and looked at afterwards.
func TestAfterARestartOfTheNode(t *testing.T) {
	harness.Seconds(t) // whatever it asserts, it is alone with its node
	promises := map[string]func(*testing.T, *harness.Namespace) (afterwards func(*testing.T, *harness.Namespace)){
		restartableInitContainers:                      startInOrder,
		"lines that wait for the backend arrive":       linesThatWaitArrive,
		"an app reaches its database with a new token": anAppReachesItsDatabase,
	}
	namespaces := map[string]*harness.Namespace{}
	afterwards := map[string]func(*testing.T, *harness.Namespace){}
	for name, prepare := range promises {
		namespaces[name] = harness.NewNamespace(t, harness.Restricted)
		afterwards[name] = prepare(t, namespaces[name])
	}

	harness.DefaultNamespace(t).RestartNode()

	for name := range promises {
		t.Run(name, func(t *testing.T) { afterwards[name](t, namespaces[name].As(t)) })
	}
}
