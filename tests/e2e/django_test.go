package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// visiting asks a Django app over its Service for as long as its first argument says, in seconds: it reads the page, adds an
// entry, and reads those after it, each over a connection of its own. In the end 8 visitors at once read all entries, five
// times each. It prints what happened, as JSON.
const visiting = `
import http.client, json, sys, threading, time
failed, written, latest = [], [], 0
def ask(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection('demo-django-app', 80, timeout=20)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
def expect(status, method, path, body=None, headers={}):
    try:
        found, text = ask(method, path, body, headers)
        if found == status:
            return text
        failed.append('%s %s: %d %s' % (method, path, found, text[:200]))
    except Exception as error:
        failed.append('%s %s: %r' % (method, path, error))
csrf = 'a' * 32
form = {'Cookie': 'csrftoken=' + csrf, 'Content-Type': 'application/x-www-form-urlencoded'}
begun = time.time()
while True:  # until the Service leads to the app
    try:
        if ask('GET', '/')[0] == 200:
            break
    except OSError:
        pass
    if time.time() > begun + 60:
        sys.exit('the Service does not lead to the app')
    time.sleep(0.2)
end = time.time() + float(sys.argv[1])
while time.time() < end:
    expect(200, 'GET', '/')
    text = 'entry-%d' % len(written)
    written.append(text)
    expect(302, 'POST', '/', 'csrfmiddlewaretoken=%s&text=%s' % (csrf, text), form)
    rows = json.loads(expect(200, 'GET', '/entries.json?after=%d' % latest) or '[]')
    if text not in [row['text'] for row in rows]:
        failed.append('%s is not among %r' % (text, rows))
    latest = max([latest] + [row['id'] for row in rows])
def read_all():
    for each in range(5):
        texts = [row['text'] for row in json.loads(expect(200, 'GET', '/entries.json') or '[]')]
        if sorted(texts) != sorted(written):
            failed.append('%d of %d entries' % (len(texts), len(written)))
visitors = [threading.Thread(target=read_all) for each in range(8)]
for visitor in visitors: visitor.start()
for visitor in visitors: visitor.join()
style = expect(200, 'GET', '/static/guestbook/style.css')
print(json.dumps({'written': len(written), 'failed': failed, 'style': style}))
`

// djangoSecret is the Secret that charts/django-app asks for.
const djangoSecret = "{apiVersion: v1, kind: Secret, metadata: {name: django}, stringData: {secretKey: only-for-a-test-0123456789012345678901234567890123456789}}"

// djangoBesideRDS returns values of charts/django-app whose database takes tokens for so many seconds. Pgbouncer logs in anew each
// second, so that every token is used.
func djangoBesideRDS(rds *harness.TokenServer, lifetime int) string {
	return fmt.Sprintf(`
hostAliases: %s
extraVolumes: [{name: service-account, projected: {sources: [{serviceAccountToken: {audience: sts.amazonaws.com, path: token}}]}}]
outrigger:
  tokenRefreshers:
    db:
      awsRds: {host: %s, user: shop, region: eu-west-1}
      ttl: %ds
      volumeMounts: [{name: service-account, mountPath: /service-account, readOnly: true}]
      env:
        AWS_ROLE_ARN: %s
        AWS_WEB_IDENTITY_TOKEN_FILE: /service-account/token
        AWS_ENDPOINT_URL_STS: %s
  ambassadors:
    proxy:
      pgbouncer:
        tls: {ca: {configMap: {name: rds-ca, key: ca.crt}}}
        settings: {server_lifetime: 1, server_idle_timeout: 1}
`, rds.HostAliases(), harness.TokenServerHost, lifetime, harness.TokenServerRole, rds.STSEndpoint())
}

func aDjangoAppAnswersEveryVisitor(t *testing.T) {
	seconds, lifetime := harness.Number(t, "OUTRIGGER_TOKEN_SECONDS", 60), tokenLifetime(t)
	namespace, rds := newRDS(t)
	rds.Behave(fmt.Sprintf("tokenLifetime=%ds", lifetime))
	namespace.Apply(djangoSecret)
	chart := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/django-app")).Write(t)
	namespace.Install("demo", chart, djangoBesideRDS(rds, lifetime))
	pods := namespace.ReadyPods("app.kubernetes.io/name=django-app", 2)

	output := namespace.Exec(pods[0].Name, "app", "python3", "-c", visiting, fmt.Sprint(seconds))

	var visit struct {
		Written int
		Failed  []string
		Style   string
	}
	require.NoError(t, json.Unmarshal([]byte(output), &visit), output)
	report := rds.Report()
	t.Logf("%d entries; %d logins with %d tokens in %d seconds; refused: %v", visit.Written, report.Accepted, report.Tokens, seconds, report.Refused)
	assert.Empty(t, visit.Failed)
	assert.Greater(t, visit.Written, seconds)
	assert.Contains(t, visit.Style, "{", "nginx serves the files that the app's image has")
	assert.Empty(t, report.Refused)
	assert.GreaterOrEqual(t, report.Tokens, 2*(seconds/lifetime), "tokens that the server has seen, of two pods")
	namespace.Eventually(harness.LogLine, "each entry's line of the log is shipped", func() bool {
		shipped := 0
		for _, pod := range pods {
			shipped += strings.Count(namespace.Logs(pod.Name, "log"), " was added\n")
		}
		return shipped == visit.Written
	})
	for _, pod := range namespace.ReadyPods("app.kubernetes.io/name=django-app", 2) {
		for _, container := range []string{"app", "nginx", "proxy", "db", "log"} {
			assert.Zero(t, harness.Status(t, pod, container).RestartCount, "%s of %s", container, pod.Name)
		}
	}
}
