package harness

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/tokenserver"
)

// What a namespace's token server is known by.
const (
	TokenServerHost   = "shop.abc123xyz.eu-west-1.rds.amazonaws.com" // port 5432
	TokenServerRegion = "eu-west-1"
	TokenServerUser   = "shop"   // and the name of its database
	TokenServerCA     = "rds-ca" // a ConfigMap; key ca.crt
	// TokenServerKeys is a Secret with a long-lived key: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
	TokenServerKeys = "aws"
	// TokenServerRole is the role that AssumeRoleWithWebIdentity may be called for.
	TokenServerRole  = "arn:aws:iam::123456789012:role/shop"
	tokenServerName  = "rds"
	tokenServerPort  = tokenServerName + ":8081" // by which it is controlled
	tokenServerKeyID = "AKIATESTTESTTESTTEST"
)

// stsHosts are those of AWS, which the token server answers for over HTTPS.
var stsHosts = []string{"sts." + TokenServerRegion + ".amazonaws.com", "sts.amazonaws.com"}

// TokenServer is a tests/tokenserver of a namespace, with a PostgreSQL server behind it: a Service `rds`. Its methods fail the
// test where the server does not answer.
type TokenServer struct {
	control
	of       *Namespace
	Database *Postgres // the real server, whose superuser needs no token
}

// TokenServer creates the namespace's token server and the PostgreSQL server `db`, with a role and a database `shop`.
// Behaviour is a query of tokenserver.Server.Behave.
func (n *Namespace) TokenServer(behaviour ...string) *TokenServer {
	n.t.Helper()
	host := sharedTokenServer.in(n.t)
	s := &TokenServer{control{host, tokenServerPort, n.Name}, n, n.Postgres()}
	certificate := s.prepare()
	first := s.open(tokenserver.Tenant{
		Endpoint:    TokenServerHost + ":5432",
		Upstream:    tokenserver.Upstream{Address: "db." + n.Name + ".svc:5432", Password: n.DatabasePassword()},
		Key:         aws.Credentials{AccessKeyID: tokenServerKeyID, SecretAccessKey: n.tokenServerKey()},
		Certificate: certificate,
		Behaviour:   strings.Join(behaviour, "&"),
	})
	n.lead(tokenServerName, host, tokenServerName, []corev1.ServicePort{
		{Name: "postgres", Port: 5432}, {Name: "sts", Port: 8080}, {Name: "sts-tls", Port: 443},
	}, portsFrom(first, tokenserver.TenantPorts))
	n.awaitTenant(tokenServerName, 8080)
	return s
}

// OwnTokenServer is TokenServer with pods that are the namespace's too, for a test that restarts them: they have their first
// behaviour again whenever they start.
func (n *Namespace) OwnTokenServer(behaviour ...string) *TokenServer {
	n.t.Helper()
	s := &TokenServer{control{n, tokenServerPort, ""}, n, n.OwnPostgres()}
	certificate := s.prepare()
	_, err := n.Client.CoreV1().Secrets(n.Name).Create(context.Background(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "rds-tls"},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: certificate.Certificate, corev1.TLSPrivateKeyKey: certificate.Key},
	}, metav1.CreateOptions{})
	require.NoError(n.t, err)
	n.startTokenServer("-behave="+strings.Join(behaviour, "&"), "-tls-cert=/etc/rds-tls/tls.crt", "-tls-key=/etc/rds-tls/tls.key")
	n.Apply(`
apiVersion: v1
kind: Service
metadata: {name: rds}
spec:
  selector: {app: rds}
  ports:
    - {name: postgres, port: 5432}
    - {name: sts, port: 8080}
    - {name: sts-tls, port: 443, targetPort: 8443}
    - {name: control, port: 8081}
`)
	n.Eventually(PodStart, "the Service leads to the token server", func() bool {
		_, err := n.ask("GET", "services", tokenServerName+":control", "healthz", nil)
		return err == nil
	})
	return s
}

// prepare makes the role and the database that the tests log in to, and what their clients need, and returns the server's
// certificate.
func (s *TokenServer) prepare() backend.Certificate {
	s.of.t.Helper()
	n := s.of
	s.Role(TokenServerUser)
	s.Database.Ask("postgres", "create database "+TokenServerUser+" owner "+TokenServerUser)
	names := []string{TokenServerHost, tokenServerName, tokenServerName + "." + n.Name, s.host(), s.host() + ".cluster.local"}
	made, err := backend.NewCertificate(append(names, stsHosts...)...)
	require.NoError(n.t, err)
	_, err = n.Client.CoreV1().ConfigMaps(n.Name).Create(context.Background(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: TokenServerCA},
		Data:       map[string]string{"ca.crt": string(made.CA)},
	}, metav1.CreateOptions{})
	require.NoError(n.t, err)
	n.tokenServerSecret()
	return made
}

// tokenServerKey is a secret key that no other namespace's server takes.
func (n *Namespace) tokenServerKey() string { return "the+secret/of+the+tests/not+of+AWS+" + n.Name }

func (n *Namespace) tokenServerSecret() {
	n.t.Helper()
	n.Apply(`
apiVersion: v1
kind: Secret
metadata: {name: ` + TokenServerKeys + `}
stringData: {AWS_ACCESS_KEY_ID: ` + tokenServerKeyID + `, AWS_SECRET_ACCESS_KEY: ` + n.tokenServerKey() + `}
`)
}

// startTokenServer creates the pod, which without a certificate is one for tenants, and waits until it is ready.
func (n *Namespace) startTokenServer(arguments ...string) {
	n.t.Helper()
	n.tokenServerSecret()
	n.databaseSecret()
	certificate := "emptyDir: {}"
	if len(arguments) > 0 {
		certificate = "secret: {secretName: rds-tls, defaultMode: 0440}"
	}
	n.Apply(tokenServerPod(arguments, certificate))
	n.awaitOwnImage(tokenServerName, testimages.TokenServerRef)
}

func tokenServerPod(arguments []string, certificate string) string {
	return `
apiVersion: v1
kind: Pod
metadata:
  name: rds
  labels: {app: rds}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: rds
      image: ` + testimages.TokenServerRef + `
      args: [-endpoint=` + TokenServerHost + `:5432, -upstream=db:5432, ` + strings.Join(arguments, ", ") + `]
      envFrom: [{secretRef: {name: ` + TokenServerKeys + `}}]
      env:
        - name: UPSTREAM_PASSWORD
          valueFrom: {secretKeyRef: {name: db, key: password}}
      ports:
        - {name: postgres, containerPort: 5432}
        - {name: sts, containerPort: 8080}
        - {name: sts-tls, containerPort: 8443}
        - {name: control, containerPort: 8081}
      readinessProbe:
        httpGet: {path: /healthz, port: control}
        periodSeconds: 1
        timeoutSeconds: 5
        failureThreshold: 10 # a busy node does not take it from its Service
      resources: {requests: {cpu: 5m, memory: 16Mi}}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: tls, mountPath: /etc/rds-tls, readOnly: true}]
  volumes:
    - {name: tls, ` + certificate + `}
`
}

// As returns the same server, as a subtest knows it. Its database stays the test's.
func (s *TokenServer) As(t testing.TB) *TokenServer {
	return &TokenServer{s.as(t), s.of.As(t), s.Database}
}

// Role creates a role of the real server that may log in with a token.
func (s *TokenServer) Role(name string) {
	s.n.t.Helper()
	s.Database.Ask("postgres", `create role "`+name+`" login password '`+strings.ReplaceAll(s.of.DatabasePassword(), "'", "''")+"'")
}

func (s *TokenServer) host() string { return tokenServerName + "." + s.of.Name + ".svc" }

// STSEndpoint is what AWS_ENDPOINT_URL_STS is set to in the namespace's pods. Programs that know no such variable find STS
// over HTTPS where HostAliases leads them, with the CA of the ConfigMap.
func (s *TokenServer) STSEndpoint() string { return "http://" + s.host() + ":8080" }

// ClusterIP is the Service's address.
func (s *TokenServer) ClusterIP() string {
	s.n.t.Helper()
	service, err := s.of.Client.CoreV1().Services(s.of.Name).Get(context.Background(), tokenServerName, metav1.GetOptions{})
	require.NoError(s.n.t, err)
	return service.Spec.ClusterIP
}

// HostAliases is the value of a pod's hostAliases, as YAML in one line, by which the pod finds TokenServerHost, and AWS's own names
// of STS.
func (s *TokenServer) HostAliases() string {
	s.n.t.Helper()
	return "[{ip: \"" + s.ClusterIP() + "\", hostnames: [" + strings.Join(append([]string{TokenServerHost}, stsHosts...), ", ") + "]}]"
}

// Disconnect closes every session, as when the server starts again.
func (s *TokenServer) Disconnect() {
	s.n.t.Helper()
	s.must("POST", "disconnect", nil)
}

// Report returns what happened since the start, or since Forget.
func (s *TokenServer) Report() (report tokenserver.Report) {
	s.n.t.Helper()
	s.get("report", nil, &report)
	return report
}

// Logins returns the last 10,000 logins whose number is above one, the oldest first.
func (s *TokenServer) Logins(after int) (logins []tokenserver.Login) {
	s.n.t.Helper()
	s.get("logins", url.Values{"after": {strconv.Itoa(after)}}, &logins)
	return logins
}

// Wait waits until the counts of a report are as large as a query says, and returns the report: accepted=20, refused=1, tokens=15
// or several of them. It fails the test where they are not in time.
func (s *TokenServer) Wait(limit time.Duration, query string) (report tokenserver.Report) {
	s.n.t.Helper()
	values, err := url.ParseQuery(query)
	require.NoError(s.n.t, err)
	values.Set("limit", (controlLimit / 3).String())
	s.n.Eventually(limit, query+" at the token server", func() bool {
		answer, err := s.ask("GET", "wait", values)
		require.False(s.n.t, apierrors.IsBadRequest(err), string(answer))
		return err == nil && json.Unmarshal(answer, &report) == nil
	})
	return report
}
