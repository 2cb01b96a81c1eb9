package harness

import (
	"fmt"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// Beside returns values for Consumer: an app with psql, which runs a script, beside pgbouncer and a refresher of
// tokens for RDS. Credentials come from STS by the pod's service account, as on EKS, where a webhook adds what is said
// here. Further lines are of the refresher's entry, but for those that begin with another word: `pod: …` is of the pod's
// spec, `proxy: …` of the ambassador's, `pgbouncer: …` all of its settings, and `ambassador: …` a second entry.
func (s *TokenServer) Beside(script string, more ...string) string {
	entry, settings, pod, proxy, ambassadors := "", "{}", "", "", ""
	for _, line := range more {
		switch key, value, _ := strings.Cut(line, ": "); key {
		case "pgbouncer":
			settings = value
		case "pod":
			pod += "\n    " + value
		case "proxy":
			proxy += "\n        " + value
		case "ambassador":
			ambassadors += "\n    " + value
		default:
			entry += "\n      " + line
		}
	}
	return fmt.Sprintf(`
pod:
  metadata: {labels: {app: web}}
  spec:
    hostAliases: %s
    securityContext: {runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999, seccompProfile: {type: RuntimeDefault}}%s
    containers:
      - name: app
        image: %s
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        env: [{name: PGHOST, value: 127.0.0.1}, {name: PGPORT, value: "6432"}, {name: PGUSER, value: shop}, {name: PGDATABASE, value: shop}]
        command:
          - bash
          - -c
          - |
            %s
outrigger:
  tokenRefreshers:
    db:
      awsRds: {host: %s, user: shop, region: eu-west-1}
      file: {path: /tokens/users.txt, format: pgbouncer}
      volumes: [{name: service-account, projected: {sources: [{serviceAccountToken: {audience: sts.amazonaws.com, path: token}}]}}]
      volumeMounts: [{name: service-account, mountPath: /service-account, readOnly: true}]
      env: &sts
        AWS_ROLE_ARN: %s
        AWS_WEB_IDENTITY_TOKEN_FILE: /service-account/token
        AWS_ENDPOINT_URL_STS: %s%s
  ambassadors:
    proxy:
      pgbouncer:
        tokenRefresher: db
        database: shop
        tls: {ca: {configMap: {name: rds-ca, key: ca.crt}}}
        settings: %s%s%s
`, s.HostAliases(), pod, testimages.PostgresRef, strings.ReplaceAll(strings.TrimSpace(script), "\n", "\n            "),
		TokenServerHost, TokenServerRole, s.STSEndpoint(), entry, settings, proxy, ambassadors)
}
