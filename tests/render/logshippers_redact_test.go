package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// runningCollector is the collector with the configuration that the library makes of a logshipper, and what it sends.
type runningCollector struct {
	t      *testing.T
	folder string
	logs   string // what is /logs in the pod
	http   string // where it receives OTLP
	ended  chan struct{}
	*backend.Backend

	mutex sync.Mutex
	sent  bytes.Buffer // the bodies of all requests, one after another
}

// runCollector runs the collector of a logshipper, given by its keys as YAML, on these files until the test ends.
func runCollector(t *testing.T, keys string, files map[string]string) *runningCollector {
	t.Helper()
	program, err := collector()
	require.NoError(t, err)
	folder := t.TempDir()
	c := &runningCollector{t: t, folder: folder, logs: filepath.Join(folder, "logs"), ended: make(chan struct{}), Backend: backend.New(backend.Config{Addresses: backend.Addresses{HTTP: "127.0.0.1:0"}})}
	require.NoError(t, c.Start())
	t.Cleanup(c.Close)
	target, err := url.Parse("http://" + c.Addresses().HTTP)
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		c.mutex.Lock()
		c.sent.Write(body)
		c.mutex.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)

	for _, name := range []string{"logs", "state"} {
		require.NoError(t, os.Mkdir(filepath.Join(folder, name), 0o755))
	}
	for name, text := range files {
		c.write(name, text)
	}
	c.http = harness.FreeAddress(t)
	s := renderShippers(t, "{ship: {"+keys+`, to: {otlphttp: {endpoint: "http://backend", compression: none}}}}`)
	here := strings.NewReplacer("http://backend", server.URL, "/run/outrigger", folder+"/state", "/logs/", c.logs+"/",
		"127.0.0.1:13133", harness.FreeAddress(t), "127.0.0.1:4318", c.http, "127.0.0.1:4317", harness.FreeAddress(t), "8888", port(harness.FreeAddress(t)))
	config := filepath.Join(folder, "collector.yaml")
	require.NoError(t, os.WriteFile(config, []byte(here.Replace(s.files["ship.conf.yaml"])), 0o644))
	command := exec.Command(program, "--config="+config, "--feature-gates=stanza.synchronousLogEmitter")
	for name, value := range environment(container(t, s.pod, "ship")) {
		command.Env = append(command.Env, name+"="+value)
	}
	output, err := os.Create(filepath.Join(folder, "output"))
	require.NoError(t, err)
	defer output.Close()
	command.Stdout, command.Stderr = output, output
	require.NoError(t, command.Start())
	go func() { _ = command.Wait(); close(c.ended) }()
	t.Cleanup(func() { _ = command.Process.Kill(); <-c.ended })
	return c
}

// output is what the collector itself said.
func (c *runningCollector) output() string {
	text, err := os.ReadFile(filepath.Join(c.folder, "output"))
	require.NoError(c.t, err)
	return string(text)
}

func port(address string) string { return address[strings.LastIndex(address, ":")+1:] }

func (c *runningCollector) write(name, text string) {
	c.t.Helper()
	require.NoError(c.t, os.WriteFile(filepath.Join(c.logs, name), []byte(text), 0o644))
}

// awaitAll waits until so many records have arrived, and returns them in their order.
func (c *runningCollector) awaitAll(records int) []backend.Record {
	c.t.Helper()
	c.await(fmt.Sprintf("%d records", records), func() bool { return c.Counts().Logs >= records })
	return c.Records("", records)
}

func (c *runningCollector) await(what string, condition func() bool) {
	c.t.Helper()
	deadline := time.After(time.Minute)
	for !condition() {
		select {
		case <-c.ended:
			require.Fail(c.t, "the collector ended", c.output())
		case <-deadline:
			require.Failf(c.t, "waited in vain for "+what, "arrived: %+v\n%s", c.Counts(), c.output())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// requireNo fails if a text is anywhere in what was sent, or the collector could not do what it was told.
func (c *runningCollector) requireNo(secrets ...string) {
	c.t.Helper()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, secret := range secrets {
		if at := bytes.Index(c.sent.Bytes(), []byte(secret)); at >= 0 {
			assert.Failf(c.t, "a secret was sent", "%s in %q", secret, c.sent.Bytes()[max(0, at-150):min(c.sent.Len(), at+80)])
		}
	}
	assert.NotContains(c.t, c.output(), "53cret")
	assert.NotContains(c.t, c.output(), "failed to")
}

// ---- Redaction: whatever a line is, no secret leaves the pod

const redactRules = `redact: [{pattern: 'card=\d+'}, {field: password}, {field: token, replacement: gone}, {field: schlüssel}, {field: a<b}]`

// secretLines are lines with secrets that all begin with 53cret or with 41110, by how they are parsed.
var secretLines = map[string]struct{ parse, lines string }{
	"JSON": {"parse: {json: {}, message: msg}", `
{"msg":"a card=4111001 of an order","plain":"card=4111002"}
{"msg":"nested","user":{"note":"card=4111003","deep":{"er":["x",{"y":"card=4111004"}]}}}
{"msg":"array","notes":["card=4111005","x"]}
{"msg":{"text":"card=4111006"}}
{"msg":["card=4111007"]}
{"msg":{"text":"x","password":"53cret01"}}
{"msg":[{"password":"53cret02"}]}
{"msg":"escaped","note":"\u0063ard=4111008","deep":{"note":"\u0063ard=4111009"}}
{"level":"info","event":"login","password":"53cret03"}
{"level":"info","event":"login","password" : "53cret04" , "rest":1}
{"msg":"first","password":"53cret05","token":"53cret06","rest":"kept"}
{"msg":"nested field","user":{"password":"53cret07","name":"bob"},"users":[{"token":"53cret08"},{"a":{"b":{"c":{"password":"53cret09"}}}}]}
{"msg":"no text","password":{"old":"53cret10","new":["53cret11",{"x":"53cret12"}]},"rest":"kept"}
{"msg":"very deep","password":{"a":{"b":{"c":{"d":{"e":"53cret13"}}}}},"rest":"53cret14"}
{"msg":"list","password":["53cret15","a \"quoted\" 53cret16"],"pin":{"password":[]}}
{"msg":"number","password":53.2e7,"token":true,"rest":"kept"}
{"msg":"quotes","password":"a\"53cret17\\","rest":"kept"}
{"msg":"escaped key","p\u0061ssword":"53cret18","user":{"p\u0061ssword":"53cret19"}}
{"msg":"other letters","schl\u00fcssel":"53cret20","user":{"schlüssel":"53cret21","x":{"schl\u00fcssel":"53cret22"}}}
{"p\u0061ssword":"53cret23","msg":"first in it"}
{"msg":"JSON in JSON","request":"{\"password\":\"53cret24\",\"a\":1}","deep":{"request":"{\"token\": \"a \\\"53cret25\"}"}}
{"msg":"{\"password\":\"53cret26\"}"}
{"msg":"login with password=53cret27 and token=\"53cret28 53cret29\""}
{"level":"info","query":{"text":"token=53cret30&password=53cret31"}}
{"msg":"half a line","password":"53cret32
{"msg":"half a line","user":{"password":"53cret33\"
{"msg":"half a line","password":{"a":["53cret34"
{"msg":"half a line","request":"{\"password\":\"53cret35
2030-01-31 not JSON: password=53cret36, card=4111010
2030-01-31 not JSON: {"password":"53cret37"} {'token': '53cret38'}
["a list",{"password":"53cret39"}]
{"msg":"a dot","user.password":"53cret40","password.old":"53cret41"}
{"password":"53cret42"}
{"msg":null,"password":"53cret43"}
{"event":"no message","schl\u00FCssel":"53cret44"}
half a line "schl\u00FCssel":"53cret45
{"msg":"HTML","a<b":"53cret46","x":{"a\u003cb":"53cret47"}}
{"event":"HTML","a\u003Cb":"53cret48"}
{"msg":"last","token":"53cret49"}
`},
	"logfmt": {"parse: {logfmt: {}, message: msg}", `
level=info msg=x password=53cret01 user=bob
level=error msg=x flag password=53cret02
password="53cret03 with \"53cret04" msg="card=4111001 here"
msg="login password=53cret05" token=53cret06
level=info event=login token="53cret07 53cret08"
level=info event=login token="53cret09 is cut
password=53"cret10 msg=x
msg="a body" json="{\"password\":\"53cret11\"}"
msg=x password='53cret12 53cret13'
`},
	"a regular expression": {`parse: {regex: '^(?P<time>\S+) (?P<password>\S+) (?P<msg>.*)$', message: msg}`, `
2030 53cret01 a message of card=4111001
2030 53cret02
`},
}

func TestNoSecretOfALineLeavesThePodWhateverTheLineIs(t *testing.T) {
	t.Parallel()
	for name, test := range secretLines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := strings.Split(strings.TrimSpace(test.lines), "\n")

			c := runCollector(t, "files: [/logs/a.log], "+test.parse+", "+redactRules, map[string]string{"a.log": strings.Join(lines, "\n") + "\n"})
			c.awaitAll(len(lines))

			c.requireNo("53cret", "41110", "53.2e7", "cret10")
		})
	}
}

func TestAPatternIsFoundAcrossTheLinesOfARecord(t *testing.T) {
	t.Parallel()
	c := runCollector(t, `files: [/logs/a.log], multiline: {startPattern: '^2030'}, redact: [{pattern: 'key:\s+\w+', replacement: "key: $"}]`,
		map[string]string{"a.log": "2030 a key:\n  53cret01\n2030 next\n"})

	arrived := c.awaitAll(2)

	c.requireNo("53cret")
	assert.Equal(t, "2030 a key: $", arrived[0].Text())
}

func TestAPatternIsFoundInALineThatTheContainerRuntimeHasCut(t *testing.T) {
	t.Parallel()
	c := runCollector(t, `files: [/logs/a.log], parse: {cri: {}}, redact: [{pattern: 'card=\d+'}]`, map[string]string{
		"a.log": "2030-01-31T12:00:00Z stdout P an order of card=41\n2030-01-31T12:00:00Z stdout F 11001 and more\n",
	})

	arrived := c.awaitAll(1)

	assert.Equal(t, "an order of *** and more", arrived[0].Text())
}

func TestWhatIsNoSecretStaysAsItWas(t *testing.T) {
	t.Parallel()
	c := runCollector(t, "files: [/logs/a.log], parse: {json: {}, message: msg}, "+redactRules, map[string]string{"a.log": `
{"msg":"first","password":"53cret01","token":"53cret02","user":{"password":"53cret03","name":"bob","old":[1,{"password":2}]},"card":"card=4111001","rest":"passwords"}
{"level":"info","event":"login","password":"53cret04"}
{"msg":{"text":"as it is"},"nested":{"a":["b"]}}
{"msg":{"text":"password=53cret05","n":1}}
half a line of "password":"53cret06
`[1:]})

	arrived := c.awaitAll(5)

	c.requireNo("53cret", "41110")
	assert.Equal(t, "first", arrived[0].Text())
	assert.Equal(t, map[string]any{
		"log.file.name": "a.log", "token": "gone", "card": "***", "rest": "passwords",
		"user": map[string]any{"name": "bob", "old": []any{1.0, map[string]any{}}},
	}, arrived[0].Attributes)
	assert.Equal(t, `{"level":"info","event":"login"}`, arrived[1].Text())
	assert.Equal(t, map[string]any{"text": "as it is"}, arrived[2].Body)
	assert.Equal(t, map[string]any{"a": []any{"b"}}, arrived[2].Attributes["nested"])
	assert.Equal(t, map[string]any{"text": "password=***", "n": 1.0}, arrived[3].Body)
	assert.Equal(t, "half a line of ", arrived[4].Text())
}

func TestAReplacementMayBeginWithWhatItsGroupsMatched(t *testing.T) {
	t.Parallel()
	c := runCollector(t, `files: [/logs/a.log], parse: {json: {}, message: msg}, redact: [{pattern: '(?i)(key=)[^\s"]+', replacement: '${1}"$$"'}]`,
		map[string]string{"a.log": `{"msg":"KEY=53cret01 and","note":["key=53cret02"]}` + "\n"})

	arrived := c.awaitAll(1)

	c.requireNo("53cret")
	assert.Equal(t, `KEY="$" and`, arrived[0].Text())
	assert.Equal(t, []any{`key="$"`}, arrived[0].Attributes["note"])
}

// Lines of any shape, written in any way, some of them cut.
func TestNoSecretOfAnyLineLeavesThePod(t *testing.T) {
	t.Parallel()
	const lines = 1500
	for format, line := range map[string]func(*rand.Rand) string{
		"json":   func(random *rand.Rand) string { return secretDocument(random, 0) },
		"logfmt": secretPairs,
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			seed := time.Now().UnixNano()
			random := rand.New(rand.NewSource(seed))
			var written []string
			for len(written) < lines {
				next := line(random)
				if random.Intn(5) == 0 {
					next = next[:random.Intn(len(next))]
				}
				if strings.TrimSpace(next) != "" {
					written = append(written, next)
				}
			}

			c := runCollector(t, "files: [/logs/a.log], parse: {"+format+": {}, message: msg}, "+redactRules, map[string]string{"a.log": strings.Join(written, "\n") + "\n"})
			c.awaitAll(lines)

			t.Logf("seed %d", seed)
			c.requireNo("53cret", "41110")
		})
	}
}

func secretPairs(random *rand.Rand) string {
	var pairs []string
	for range 1 + random.Intn(6) {
		key := []string{"password", "token", "schlüssel", "msg", "level", "passwords", "flag"}[random.Intn(7)]
		value := []string{"53cret", `"53cret 53cret"`, `"a \"53cret\" 53cret"`, `53"cret=1&53cret`, "'53cret 53cret'", ""}[random.Intn(6)]
		if strings.Contains("msg level passwords flag", key) {
			value = []string{"x", `"login password=53cret"`, `"card=4111001 of"`, `"{\"password\":\"53cret\"}"`, "", "card=4111002"}[random.Intn(6)]
		}
		pairs = append(pairs, key+"="+value)
		if random.Intn(6) == 0 {
			pairs = append(pairs, "bare")
		}
	}
	return strings.Join(pairs, " ")
}

func secretDocument(random *rand.Rand, depth int) string {
	blank := func() string { return []string{"", "", " ", "\t"}[random.Intn(4)] }
	text := func(value string) string {
		encoded, _ := json.Marshal(value)
		return string(encoded)
	}
	secret := func() string { // of the field
		switch random.Intn(6) {
		case 0:
			return text(`53cret "quoted" \ and ` + "\n{[,:]}")
		case 1:
			return `["53cret",{"a}":"53cret]"}]`
		case 2:
			return `{"a":{"b":{"c":{"d":{"e":"53cret"}}}}}`
		case 3:
			return strings.Repeat("41110", 1+random.Intn(3))
		default:
			return `"53cret"`
		}
	}
	plain := func() string {
		if depth < 5 && random.Intn(3) == 0 {
			return secretDocument(random, depth+1)
		}
		return []string{`"card=4111001"`, `"a card=4111002."`, `["x",["card=4111003"]]`, "1", "null", `"plain \"text\""`, text(`{"password":"53cret"}`), `"{}[],:"`, "[]"}[random.Intn(9)]
	}
	var members []string
	for range 1 + random.Intn(4) {
		if random.Intn(3) == 0 {
			key := []string{"password", "token", "schlüssel", `schl\u00fcssel`}[random.Intn(4)]
			members = append(members, `"`+key+`"`+blank()+":"+blank()+secret())
		} else {
			key := []string{"msg", "level", "a", "the password", "tokens", "x.y"}[random.Intn(6)]
			members = append(members, text(key)+blank()+":"+blank()+plain())
		}
	}
	return "{" + blank() + strings.Join(members, blank()+","+blank()) + blank() + "}"
}

func TestWhatTheAppSendsByOTLPIsRedactedToo(t *testing.T) {
	t.Parallel()
	const attributes = `[{"key":"note","value":{"stringValue":"card=4111001"}},{"key":"password","value":{"stringValue":"53cret01"}},{"key":"token","value":{"stringValue":"53cret02"}},{"key":"rest","value":{"intValue":"7"}},
		{"key":"deep","value":{"kvlistValue":{"values":[{"key":"password","value":{"stringValue":"53cret03"}},{"key":"notes","value":{"arrayValue":{"values":[{"stringValue":"card=4111002"}]}}},{"key":"kept","value":{"stringValue":"yes"}}]}}}]`
	const resource = `"resource":{"attributes":` + attributes + `},"scope":{"name":"s","attributes":` + attributes + `}`
	c := runCollector(t, "receive: {otlp: true}, "+redactRules, nil)
	send := func(signal, body string) {
		c.await("the receiver", func() bool {
			answer, err := http.Post("http://"+c.http+"/v1/"+signal, "application/json", strings.NewReader(body))
			if err != nil {
				return false
			}
			defer answer.Body.Close()
			text, _ := io.ReadAll(answer.Body)
			require.Equal(t, http.StatusOK, answer.StatusCode, "%s", text)
			return true
		})
	}
	scoped := func(of, items string) string {
		parts := strings.SplitN(resource, `,"scope"`, 2)
		return `{"resource` + of + `":[{` + parts[0] + `,"scope` + of + `":[{"scope"` + parts[1] + `,` + items + `}]}]}`
	}

	send("logs", scoped("Logs", `"logRecords":[
		{"body":{"stringValue":"login with password=53cret04 and card=4111003"},"attributes":`+attributes+`},
		{"body":{"kvlistValue":{"values":[{"key":"text","value":{"stringValue":"card=4111004"}},{"key":"password","value":{"stringValue":"53cret05"}}]}}},
		{"body":{"arrayValue":{"values":[{"kvlistValue":{"values":[{"key":"token","value":{"stringValue":"53cret06"}}]}},{"stringValue":"kept in it"}]}}}]`))
	send("traces", scoped("Spans", `"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /card=4111005","status":{"message":"no card=4111006"},"attributes":`+attributes+`,
		"events":[{"name":"card=4111007","attributes":`+attributes+`}]}]`))
	send("metrics", scoped("Metrics", `"metrics":[{"name":"orders","gauge":{"dataPoints":[{"asDouble":1,"attributes":`+attributes+`}]}},
		{"name":"sizes","sum":{"aggregationTemporality":2,"dataPoints":[{"asInt":"1","attributes":`+attributes+`}]}}]`))
	arrived := c.awaitAll(3)
	c.await("spans and metrics", func() bool { return c.Counts().Spans == 1 && c.Counts().MetricPoints == 2 })

	c.requireNo("53cret", "41110")
	assert.Equal(t, "login with password=*** and ***", arrived[0].Text())
	assert.Equal(t, map[string]any{"note": "***", "token": "gone", "rest": 7.0, "deep.kept": "yes", "deep.notes.0": "***"}, numbers(arrived[0].Attributes))
	assert.Equal(t, map[string]any{"text": "***"}, arrived[1].Body)
	assert.Equal(t, "yes", arrived[0].Resource["deep.kept"])
	assert.Equal(t, "from-k8s_namespace_name", arrived[0].Resource["k8s.namespace.name"], "what names the pod is none of the app's")
}

// numbers makes whole numbers what JSON would make of them.
func numbers(attributes map[string]any) map[string]any {
	for name, value := range attributes {
		if number, whole := value.(int64); whole {
			attributes[name] = float64(number)
		}
	}
	return attributes
}
