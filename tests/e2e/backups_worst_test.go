package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// slowShop is a shop with 60 MB that no compression makes small, and values by which they go into a store at 2 MiB a second,
// one request after the other: there is a middle of an upload in which things can happen.
type slowShop struct {
	*harness.Namespace
	t          *testing.T
	database   *harness.Postgres
	repository string
	kind       string
	before     string
}

// inEachStore runs a test with a slow shop for each kind of store. The S3 server has a volume in it.
func inEachStore(t *testing.T, volume string, test func(shop *slowShop)) {
	t.Helper()
	for _, kind := range []string{"restic", "files"} {
		t.Run(kind, func(t *testing.T) {
			harness.Facts(t)
			namespace := harness.NewNamespace(t, harness.Restricted)
			shop := &slowShop{Namespace: namespace, t: t, database: shopIn(namespace.OwnPostgres()), repository: namespace.OwnS3(volume), kind: kind}
			shop.before = shop.database.Ask("shop", checksum)
			shop.database.Ask("shop", "create table noise as select encode(sha512(random()::text::bytea), 'base64') from generate_series(1, 600000)")
			const env = `env: {PATIENCE: "10", RCLONE_BWLIMIT: 2M, RCLONE_S3_UPLOAD_CONCURRENCY: "1", RESTIC_PACK_SIZE: "4"}`
			values := plainFiles(namespace, env)
			if kind == "restic" {
				values = strings.Replace(backupValues(shop.repository, env), "credentials: s3}", "credentials: s3, limitUpload: 2048, options: {s3.connections: 1}}", 1)
			}
			namespace.Install("demo", harness.Consumer(t).Write(t), values)
			test(shop)
		})
	}
}

// snapshots returns the files of the store that make a snapshot, or would be taken for one.
func (s *slowShop) snapshots() []string {
	s.t.Helper()
	return strings.Fields(s.S3Shell(`find $BUCKET -type f \( -path "*/repository/snapshots/*" -o -path "*/plain/*" \)`))
}

// awaitUpload waits until a part of the dump has arrived, of which most is still to come.
func (s *slowShop) awaitUpload() {
	s.t.Helper()
	s.Eventually(harness.PodStart, "a part of the dump is in the store", func() bool {
		parts := s.S3Shell(`find $BUCKET -type f \( -path "*/repository/data/*" -o -path "*/multipart/*/1" \)`)
		return parts != ""
	})
}

// requireFailure waits for the end of a run, and requires that it says why it failed in one line and leaves no snapshot.
func (s *slowShop) requireFailure(job string, code int32, why string) {
	s.t.Helper()
	failed, log, ended := endedTask(s.t, s.Namespace, job)
	require.Equal(s.t, code, ended, log)
	assert.Equal(s.t, "failure", failed.Result)
	assert.Contains(s.t, failed.Message, why)
	said := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, why) {
			said++
		}
	}
	assert.Equal(s.t, 2, said, "one line for people, and one of JSON:\n%s", log)
	assert.Empty(s.t, s.snapshots())
}

// requireWhole requires that the next run succeeds, and that the store is whole.
func (s *slowShop) requireWhole() {
	s.t.Helper()
	made, log, code := runTask(s.t, s.Namespace, "demo-shop-nightly", "next")
	require.Zero(s.t, code, log)
	assert.Len(s.t, made.Snapshots, 1)
	if s.kind == "restic" {
		assert.Contains(s.t, restic(s.t, s.Namespace, s.repository, "check", "--no-lock", "--read-data"), "no errors were found")
	}
	_, log, code = runTask(s.t, s.Namespace, "demo-shop-nightly-restore", "restore", "TARGET=shop_copy")
	require.Zero(s.t, code, log)
	assert.Equal(s.t, s.before, s.database.Ask("shop_copy", checksum))
}

func TestAServerThatIsKilledInMidDumpFailsTheRunAndTheNextOneSucceeds(t *testing.T) {
	harness.Soak(t)
	inEachStore(t, "emptyDir: {}", func(shop *slowShop) {
		shop.StartTask("demo-shop-nightly", "killed")
		shop.awaitUpload()
		require.Equal(shop.t, "1", shop.database.Ask("shop", "select count(*) from pg_stat_activity where application_name = 'outrigger' and query ilike 'copy%noise%'"), "the dump is under way")

		shop.Kill("db", "db", "postgres")

		shop.requireFailure("killed", 1, "server closed the connection unexpectedly")
		shop.ReadyPods("app=db", 1)
		shop.database.Ask("shop", "drop table noise")
		shop.requireWhole()
	})
}

func TestAStoreThatIsFullSaysSoAndTheNextRunThatFitsSucceeds(t *testing.T) {
	harness.Soak(t)
	inEachStore(t, "emptyDir: {medium: Memory, sizeLimit: 28Mi}", func(shop *slowShop) {
		// What somebody removes who makes room: how much the run leaves free hangs on the sizes of its packs.
		shop.S3Shell("head -c 4194304 /dev/zero >$BUCKET/../room")
		shop.StartTask("demo-shop-nightly", "full")
		shop.requireFailure("full", 3, "No space left on device")

		shop.S3Shell("rm $BUCKET/../room")
		shop.database.Ask("shop", "drop table noise")

		shop.requireWhole()
	})
}

func TestAStoreThatIsGoneInMidUploadEndsTheRunAndTheNextOneSucceeds(t *testing.T) {
	harness.Soak(t)
	inEachStore(t, "emptyDir: {}", func(shop *slowShop) {
		shop.StartTask("demo-shop-nightly", "cut")
		shop.awaitUpload()

		// The Service leads nowhere, and the connections that there are end with the server.
		shop.Kubectl("patch", "service", "s3", "-p", `{"spec": {"selector": {"app": "nobody"}}}`)
		shop.Eventually(harness.LogLine, "the Service leads nowhere", func() bool {
			return strings.Contains(shop.S3Refusal(), "refused")
		})
		shop.Kill("s3", "s3", "versitygw")

		shop.requireFailure("cut", 3, "connection refused")
		shop.Kubectl("patch", "service", "s3", "-p", `{"spec": {"selector": {"app": "s3"}}}`)
		shop.ReadyPods("app=s3", 1)
		shop.database.Ask("shop", "drop table noise")
		shop.requireWhole()
	})
}

// stored returns a bucket's files, with their sizes.
func stored(namespace *harness.Namespace, bucket string) string {
	return namespace.S3Shell("find $BUCKET/../" + bucket + " -path '*/.sgwtmp' -prune -o -type f -exec ls -l {} + | sort")
}

func TestCredentialsThatMayOnlyReadAreSaidInOneLineAndWriteNothing(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	newShop(namespace)
	repository := namespace.S3()
	// Who owns a bucket may let others read it.
	reader, readable := "reader-of-"+namespace.Bucket(), "readable-"+namespace.Bucket()
	namespace.S3Admin("create-user", "--access", reader, "--secret", "the-key-of-the-reader", "--role", "user")
	namespace.S3Admin("create-bucket", "--bucket", readable, "--owner", namespace.S3User(), "--object-ownership", "BucketOwnerPreferred", "--grant-read", reader)
	namespace.Apply("{apiVersion: v1, kind: Secret, metadata: {name: reader}, stringData: {AWS_ACCESS_KEY_ID: " + reader + ", AWS_SECRET_ACCESS_KEY: the-key-of-the-reader}}")
	chart := harness.Consumer(t).Write(t)
	namespace.Install("demo", chart, backupValues(repository))

	for name, values := range map[string]string{"restic": backupValues(repository), "files": plainFiles(namespace)} {
		values = strings.Replace(values, namespace.Bucket()+"/", readable+"/", 1)
		namespace.Upgrade("demo", chart, values)
		_, log, code := runTask(t, namespace, "demo-shop-nightly", name+"-owner")
		require.Zero(t, code, log)
		before := stored(namespace, readable)

		namespace.Upgrade("demo", chart, strings.Replace(values, "credentials: s3", "credentials: reader", 1))
		failed, log, code := runTask(t, namespace, "demo-shop-nightly", name+"-reader")

		assert.EqualValues(t, 3, code, "%s: %s", name, log)
		assert.Regexp(t, `^[^{}]*Access Denied\.$`, failed.Message, name)
		assert.Equal(t, before, stored(namespace, readable), name)
	}
}

func TestAClockThatIsWrongIsSaidInOneLineAndNothingIsWritten(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	newShop(namespace)
	repository := namespace.S3()
	// No pod has a clock of its own. What the server is asked comes by way of a proxy that moves it eleven hours or more, within
	// the day that the signature names; a server looks at the time before it looks at the signature.
	namespace.Apply(`
apiVersion: v1
kind: ConfigMap
metadata: {name: skew}
data:
  nginx.conf: |
    pid /tmp/nginx.pid;
    events {}
    http {
      client_body_temp_path /tmp/body;
      proxy_temp_path /tmp/proxy;
      fastcgi_temp_path /tmp/fastcgi;
      uwsgi_temp_path /tmp/uwsgi;
      scgi_temp_path /tmp/scgi;
      client_max_body_size 0;
      access_log off;
      map $http_x_amz_date $moved {
        "~^(?<day>[0-9]+)T(0|10|11)" "${day}T230000Z";
        "~^(?<day>[0-9]+)T" "${day}T000000Z";
      }
      server {
        listen 7070;
        location / {
          proxy_pass http://s3.` + namespace.Name + `.svc.cluster.local:7070;
          proxy_set_header Host $http_host;
          proxy_set_header X-Amz-Date $moved;
        }
      }
    }
---
apiVersion: v1
kind: Service
metadata: {name: skew}
spec:
  selector: {app: skew}
  ports: [{name: s3, port: 7070}]
---
apiVersion: v1
kind: Pod
metadata:
  name: skew
  labels: {app: skew}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: nginx
      image: ` + anotherImage + `
      command: [nginx, -c, /etc/skew/nginx.conf, -g, "daemon off;"]
      readinessProbe: {tcpSocket: {port: 7070}, periodSeconds: 1}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: config, mountPath: /etc/skew}, {name: tmp, mountPath: /tmp}]
  volumes:
    - {name: config, configMap: {name: skew}}
    - {name: tmp, emptyDir: {}}
`)
	namespace.ReadyPods("app=skew", 1)
	chart := harness.Consumer(t).Write(t)
	namespace.Install("demo", chart, backupValues(repository))

	for name, values := range map[string]string{"restic": backupValues(repository), "files": plainFiles(namespace)} {
		namespace.Upgrade("demo", chart, strings.Replace(values, "http://s3.", "http://skew.", 1))
		failed, log, code := runTask(t, namespace, "demo-shop-nightly", name)

		assert.EqualValues(t, 3, code, "%s: %s", name, log)
		assert.Regexp(t, `^[^{}]*The difference between the request time and the current time is too large\.$`, failed.Message, name)
		assert.Empty(t, stored(namespace, namespace.Bucket()), name)
	}
}

// forms returns how a secret may be written where it is not meant to be: as it is, quoted, in a URL, in base64, which has
// three forms by where in its text the secret stands.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret)
	all := []string{secret, strings.Trim(string(quoted), `"`), strings.ReplaceAll(secret, `\`, `\\`), strings.ReplaceAll(secret, "'", "''"), url.QueryEscape(secret), url.PathEscape(secret)}
	// What any quoting leaves of one that has to be quoted.
	for _, part := range strings.FieldsFunc(secret, func(letter rune) bool { return strings.ContainsRune(`'"&$`, letter) }) {
		if strings.Contains(part, `\`) {
			all = append(all, part, strings.ReplaceAll(part, `\`, `\\`))
		}
	}
	for before, unsure := range []int{0, 2, 3} {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			encoded := encoding.EncodeToString([]byte(strings.Repeat(" ", before) + secret))
			all = append(all, encoded[unsure:len(encoded)-4])
		}
	}
	return all
}

// commandLines begins to read the command lines of all processes of a backup's container, and tells the hook `before` of
// beingWatched. It returns what to call for them, when the container has ended or the file unwatched is there.
func commandLines(t testing.TB, namespace *harness.Namespace, selector, container string) (wait func() string) {
	t.Helper()
	var pod string
	namespace.Eventually(harness.PodStart, "the container "+container+" runs", func() bool {
		for _, found := range namespace.Pods(selector) {
			for _, status := range slices.Concat(found.Status.ContainerStatuses, found.Status.InitContainerStatuses) {
				if status.Name == container && status.State.Running != nil {
					pod = found.Name
				}
			}
		}
		return pod != ""
	})
	return namespace.Output(pod, container, "/outrigger-tools/busybox", "sh", "-c", `
: >/run/outrigger/watched
until [ -e /run/outrigger/unwatched ]; do
  /outrigger-tools/busybox cat /proc/[0-9]*/cmdline | /outrigger-tools/busybox tr '\000' ' '
  /outrigger-tools/busybox usleep 20000
done 2>/dev/null`)
}

// beingWatched is the hook of a backup that begins when its command lines are read.
const beingWatched = `before: "until [ -e /run/outrigger/watched ]; do /outrigger-tools/busybox usleep 100000; done"`

var resticsOptions = regexp.MustCompile(`restic (--\S+ )+`)

func TestNoSecretIsInAnObjectALogAnEventOrACommandLine(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	database, repository := newShop(namespace), namespace.S3()
	// A restore lasts for seconds, in which command lines can be read.
	database.Ask("shop", "create function nap() returns boolean language sql as 'select pg_sleep(3) is not null'; create table slow (a int check (public.nap())); insert into slow values (1)")
	namespace.Apply("{apiVersion: v1, kind: Secret, metadata: {name: wrong}, stringData: {password: the-wrong-password}}")
	secrets := []string{namespace.DatabasePassword(), "the-key-of-the-store", "the-password-of-the-repository", "the-wrong-password"}
	entry := func(name, values string) string {
		return strings.Replace(values[strings.Index(values, "    nightly:"):], "nightly:", name+":", 1)
	}
	// A download lasts for seconds, in which command lines can be read.
	slow := strings.Replace(backupValues(repository, beingWatched, `drill: {schedule: "17 5 * * 0"}`), "credentials: s3}", "credentials: s3, limitDownload: 50}", 1)
	beside := strings.Replace(backupValues(repository, beingWatched, "as: sidecar"), seldom, "* * * * *", 1)
	values := restrictedApp("trap 'exit 0' TERM"+serving) + "  backups:\n" + entry("nightly", slow) + entry("plain", plainFiles(namespace, beingWatched, "env: {RCLONE_BWLIMIT: 200k}")) + entry("beside", beside)
	chart := harness.Consumer(t).Write(t)
	namespace.Install("demo", chart, values)
	seen := map[string]string{}
	watchedTask := func(cronJob, job string, expected int32, settings ...string) {
		namespace.StartTask(cronJob, job, settings...)
		wait := commandLines(t, namespace, "job-name="+job, "backup")
		_, log, code := endedTask(t, namespace, job)
		require.Equal(t, expected, code, "%s: %s", job, log)
		seen["the command lines of "+job] = wait()
	}

	besideLines := commandLines(t, namespace, web, "beside")
	watchedTask("demo-shop-nightly", "backup", 0)
	watchedTask("demo-shop-plain", "plain", 0)
	watchedTask("demo-shop-nightly-restore", "restore", 0, "TARGET=shop_copy")
	watchedTask("demo-shop-plain-restore", "plain-restore", 0, "TARGET=plain_copy")
	watchedTask("demo-shop-nightly-drill", "drill", 0)
	pod := namespace.ReadyPods(web, 1)[0].Name
	namespace.Eventually(harness.PodStart, "the sidecar has backed up", func() bool {
		return len(outcomes(namespace.T(), namespace.Logs(pod, "beside"))) > 0
	})
	namespace.Exec(pod, "beside", "/outrigger-tools/busybox", "touch", "/run/outrigger/unwatched")
	seen["the command lines of beside"] = besideLines()
	namespace.Upgrade("demo", chart, strings.Replace(values, "secret: restic", "secret: wrong", 1))
	watchedTask("demo-shop-nightly", "wrong-password", 3)
	namespace.Upgrade("demo", chart, strings.Replace(values, "secret: db", "secret: wrong", 1))
	_, log, code := runTask(t, namespace, "demo-shop-nightly", "wrong-database-password")
	require.EqualValues(t, 1, code, log)

	for task, programs := range map[string][]string{
		"backup": {"restic backup", "pg_dump"}, "plain": {"rclone --", "pg_dump"}, "restore": {"restic dump", "pg_restore"}, "plain-restore": {"rclone --"},
		"drill": {"restic dump", "pg_restore"}, "beside": {"restic backup", "pg_dump"}, "wrong-password": {"restic backup"},
	} {
		for _, program := range programs {
			assert.Contains(t, resticsOptions.ReplaceAllString(seen["the command lines of "+task], "restic "), program, "%s was watched", task)
		}
	}
	kinds := slices.DeleteFunc(strings.Fields(namespace.Kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name")), func(kind string) bool { return kind == "secrets" })
	require.Contains(t, kinds, "events")
	seen["the objects"] = namespace.Kubectl("get", strings.Join(kinds, ","), "-o", "yaml")
	require.Contains(t, seen["the objects"], "demo-shop-nightly-drill")
	for index, release := range releases(t, namespace) {
		seen[fmt.Sprintf("helm's release %d", index)] = release
	}
	for _, pod := range namespace.Pods("") {
		for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			seen["the log of "+pod.Name+" "+container.Name] = namespace.Logs(pod.Name, container.Name)
		}
	}
	for place, text := range seen {
		for _, secret := range secrets {
			found := slices.IndexFunc(forms(secret), func(form string) bool { return strings.Contains(text, form) })
			assert.Negative(t, found, "%s has the secret %q, in form %d", place, secret, found)
		}
	}
}

// releases returns what helm remembers of its releases, decoded.
func releases(t testing.TB, namespace *harness.Namespace) (all []string) {
	t.Helper()
	for _, encoded := range strings.Fields(namespace.Kubectl("get", "secrets", "--field-selector", "type=helm.sh/release.v1", "-o", "jsonpath={.items[*].data.release}")) {
		compressed := encoded
		for range 2 {
			decoded, err := base64.StdEncoding.DecodeString(compressed)
			require.NoError(t, err)
			compressed = string(decoded)
		}
		reader, err := gzip.NewReader(bytes.NewReader([]byte(compressed)))
		require.NoError(t, err)
		release, err := io.ReadAll(reader)
		require.NoError(t, err)
		require.Contains(t, string(release), `"manifest"`)
		all = append(all, string(release))
	}
	require.NotEmpty(t, all)
	return all
}
