package harness

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// store is a namespace's S3 server, with a bucket of the namespace's name.
type store struct{ host *Namespace }

// s3Ports are a Service's.
var s3Ports = []corev1.ServicePort{{Name: "s3", Port: 7070}}

// S3 gives the namespace an S3 server: a Service `s3` with a bucket of the namespace's name, a Secret `s3` with credentials which
// reach no other, and a Secret `restic` with a password for a repository. It returns the repository's URL.
func (n *Namespace) S3() (repository string) {
	n.t.Helper()
	host := sharedS3.in(n.t)
	n.store = &store{host}
	n.t.Cleanup(func() {
		_, _ = host.TryExec(context.Background(), "s3", "shell", "rm", "-rf", "/data/"+n.Bucket())
	})
	n.s3Secrets()
	n.S3Admin("create-user", "--access", n.S3User(), "--secret", n.s3Key(), "--role", "user")
	n.S3Admin("create-bucket", "--bucket", n.Bucket(), "--owner", n.S3User())
	n.lead("s3", host, "s3", s3Ports, map[string]int{"s3": 7070})
	return n.awaitS3()
}

// OwnS3 is S3 with a pod that is the namespace's too, for a test that kills it or fills its volume: a folder of the node's, or
// what is given, as emptyDir: {sizeLimit: 1Gi}.
func (n *Namespace) OwnS3(volume string) (repository string) {
	n.t.Helper()
	n.store = &store{n}
	n.startS3(volume)
	n.Apply(`
apiVersion: v1
kind: Service
metadata: {name: s3}
spec:
  selector: {app: s3}
  ports: [{name: s3, port: 7070}]
`)
	return n.awaitS3()
}

// Bucket is the name of the namespace's bucket.
func (n *Namespace) Bucket() string { return n.Name }

// S3User owns the namespace's bucket.
func (n *Namespace) S3User() string { return "user-of-" + n.Name }
func (n *Namespace) s3Key() string  { return "the-key-of-the-store-of-" + n.Name }

func (n *Namespace) s3Secrets() {
	n.t.Helper()
	n.Apply(`
apiVersion: v1
kind: Secret
metadata: {name: s3}
stringData: {AWS_ACCESS_KEY_ID: ` + n.S3User() + `, AWS_SECRET_ACCESS_KEY: ` + n.s3Key() + `}
---
apiVersion: v1
kind: Secret
metadata: {name: restic}
stringData: {password: the-password-of-the-repository}
`)
}

func (n *Namespace) awaitS3() (repository string) {
	n.t.Helper()
	n.Eventually(PodStart, "the Service leads to s3, which knows nobody yet", func() bool {
		return strings.Contains(n.S3Refusal(), " 403 ")
	})
	return "s3:http://s3." + n.Name + ".svc:7070/" + n.Bucket() + "/repository"
}

// S3Refusal returns why the Service s3 does not answer who has no credentials.
func (n *Namespace) S3Refusal() string {
	n.t.Helper()
	return n.S3Shell("wget -T 2 -q -O /dev/null http://s3." + n.Name + ".svc:7070/ 2>&1 || true")
}

// S3Shell runs a script where the server's files are, those of the namespace's bucket in the folder $BUCKET, and returns what it
// prints.
func (n *Namespace) S3Shell(script string) string {
	n.t.Helper()
	return n.store.host.As(n.t).Exec("s3", "shell", "env", "BUCKET=/data/"+n.Bucket(), "sh", "-c", script)
}

// S3Admin runs a command of versitygw's for whoever administers the server.
func (n *Namespace) S3Admin(arguments ...string) {
	n.t.Helper()
	n.store.host.As(n.t).Exec("s3", "s3", append([]string{"sh", "-c", `exec /usr/local/bin/versitygw admin --endpoint-url http://127.0.0.1:7070 --access "$ROOT_ACCESS_KEY" --secret "$ROOT_SECRET_KEY" "$@"`, "admin"}, arguments...)...)
}

// startS3 creates a pod with an S3 server, with its Secrets, and waits until it is ready. Its root has the bucket of the pod's namespace.
func (n *Namespace) startS3(volume string) {
	n.t.Helper()
	n.s3Secrets()
	n.Apply(`
apiVersion: v1
kind: Pod
metadata:
  name: s3
  labels: {app: s3}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  shareProcessNamespace: true # for Kill
  securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
  initContainers:
    - name: bucket
      image: ` + testimages.BusyBoxRef + `
      command: [mkdir, -p, /data/` + n.Bucket() + `]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}]
  containers:
    - name: s3
      image: ` + testimages.VersityGWRef + `
      args: [--port, ":7070", --iam-dir, /users, posix, /data]
      env:
        - name: ROOT_ACCESS_KEY
          valueFrom: {secretKeyRef: {name: s3, key: AWS_ACCESS_KEY_ID}}
        - name: ROOT_SECRET_KEY
          valueFrom: {secretKeyRef: {name: s3, key: AWS_SECRET_ACCESS_KEY}}
      ports: [{containerPort: 7070, name: s3}]
      readinessProbe: {tcpSocket: {port: s3}, periodSeconds: 1}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}, {name: users, mountPath: /users}]
    - name: shell # for tests that look at what is stored, or corrupt it
      image: ` + testimages.BusyBoxRef + `
      command: ` + idle + `
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}]
  volumes:
    - {name: data, ` + volume + `}
    - {name: users, emptyDir: {}}
`)
	n.ReadyPods("app=s3", 1)
}
