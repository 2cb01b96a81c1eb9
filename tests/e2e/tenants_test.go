package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// A test that used the servers of another one by mistake would not notice.
func TestTheKeysOfOneTestOpenNothingOfAnothers(t *testing.T) {
	harness.Facts(t)
	ours, theirs := harness.NewNamespace(t, harness.Restricted), harness.NewNamespace(t, harness.Restricted)
	newShop(ours)
	newShop(theirs)
	repository, another := ours.S3(), theirs.S3()
	chart := harness.Consumer(t).Write(t)
	ours.Install("demo", chart, strings.Replace(backupValues(repository), "host: db,", "host: db."+theirs.Name+".svc,", 1))

	failed, log, code := runTask(t, ours, "demo-shop-nightly", "their-database")
	assert.EqualValues(t, 1, code, log)
	assert.Contains(t, failed.Message, "password authentication failed")

	ours.Upgrade("demo", chart, backupValues(another))
	failed, log, code = runTask(t, ours, "demo-shop-nightly", "their-bucket")
	assert.EqualValues(t, 3, code, log)
	assert.Contains(t, failed.Message, "Access Denied")
}
