package backend

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// limit bounds what takes no time where it works.
const limit = 20 * time.Second

// running is a backend of a test's, and clients of it.
type running struct {
	*Backend
	t    *testing.T
	told func(path string) string // the URL of a control
	http *http.Client
	grpc plogotlp.GRPCClient
	conn *grpc.ClientConn
}

func start(t *testing.T) *running {
	t.Helper()
	made, err := NewCertificate("127.0.0.1", "localhost")
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(made.Certificate, made.Key)
	require.NoError(t, err)
	const free = "127.0.0.1:0"
	b := New(Config{Addresses{free, free, free}, pair})
	require.NoError(t, b.Start())
	t.Cleanup(b.Close)
	authorities := x509.NewCertPool()
	require.True(t, authorities.AppendCertsFromPEM(made.CA))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	conn, err := grpc.NewClient(b.Addresses().GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	controls := httptest.NewServer(b.Controls())
	t.Cleanup(controls.Close)
	told := func(path string) string { return controls.URL + path }
	return &running{b, t, told, &http.Client{Transport: transport, Timeout: limit}, plogotlp.NewGRPCClient(conn), conn}
}

func logs(lines ...string) plogotlp.ExportRequest {
	made := plog.NewLogs()
	records := made.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, line := range lines {
		records.AppendEmpty().Body().SetStr(line)
	}
	return plogotlp.NewExportRequestFromLogs(made)
}

func numbered(prefix string, from, to int) (lines []string) {
	for n := from; n <= to; n++ {
		lines = append(lines, fmt.Sprintf("%s %d", prefix, n))
	}
	return lines
}

func encoded(t testing.TB, request interface{ MarshalProto() ([]byte, error) }) []byte {
	t.Helper()
	body, err := request.MarshalProto()
	require.NoError(t, err)
	return body
}

func (r *running) post(url string, body []byte, headers ...string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	require.NoError(r.t, err)
	request.Header.Set("Content-Type", contentType)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := r.http.Do(request)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	return response, err
}

func (r *running) plain(path string) string     { return "http://" + r.Addresses().HTTP + path }
func (r *running) encrypted(path string) string { return "https://" + r.Addresses().HTTPS + path }

// ship sends lines over gRPC.
func (r *running) ship(lines ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_, err := r.grpc.Export(ctx, logs(lines...))
	return err
}

// ways are the ways to send lines.
func (r *running) ways() map[string]func(...string) error {
	over := func(url string) func(...string) error {
		return func(lines ...string) error {
			response, err := r.post(url, encoded(r.t, logs(lines...)))
			if err == nil && response.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %d", response.StatusCode)
			}
			return err
		}
	}
	return map[string]func(...string) error{
		"gRPC": r.ship, "HTTP": over(r.plain("/v1/logs")), "HTTPS": over(r.encrypted("/v1/logs")),
	}
}

func get[T any](r *running, path string) (value T) {
	r.t.Helper()
	response, err := r.http.Get(r.told(path))
	require.NoError(r.t, err)
	defer response.Body.Close()
	require.Equal(r.t, http.StatusOK, response.StatusCode)
	require.NoError(r.t, json.NewDecoder(response.Body).Decode(&value))
	return value
}

func (r *running) tell(path string) {
	r.t.Helper()
	response, err := r.post(r.told(path), nil)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, response.StatusCode)
}

func TestLostAndRepeatedLinesAreReported(t *testing.T) {
	r := start(t)
	lines := append(numbered("a", 1, 16), numbered("a", 18, 100)...)
	lines = append(lines, "a 20 again", "b 1", "a 20 ", "a 21x", "a", "a ", "a x", " 1", "a 0", "a -1", "a 101", "a 200000000")
	require.NoError(t, r.ship(lines...))

	assert.Equal(t, Report{101, 1, 2, []string{"lost a 17", "3 times a 20"}}, get[Report](r, "/report?prefix=a&count=100"))
	assert.Equal(t, Report{1, 0, 0, []string{}}, get[Report](r, "/report?prefix=b&count=1"))
	assert.Len(t, r.store.lines["a"].times, 101, "a number beyond all bounds costs nothing")
	nothing := get[Report](r, "/report?prefix=c&count=20")
	assert.Equal(t, 20, nothing.Lost)
	assert.Len(t, nothing.Examples, 10)
}

func TestALineThatArrivesVeryOftenIsNotForgotten(t *testing.T) {
	r := start(t)
	for range 256 {
		r.store.line("a 1", time.Time{})
	}
	assert.Equal(t, Report{255, 0, 254, []string{"255 times a 1"}}, r.Report("a", 1))
}

func TestTenMillionLinesCostTenMegabytes(t *testing.T) {
	r := start(t)
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := used()
	line := []byte("p ")
	for n := 1; n <= 10_000_000; n++ {
		line = fmt.Append(line[:2], n)
		r.store.line(string(line), time.Time{})
	}
	assert.Less(t, used()-before, uint64(15<<20))
	assert.Equal(t, Report{10_000_000, 0, 0, []string{}}, r.Report("p", 10_000_000))
}

func pack(t *testing.T, body []byte, to func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := to(&packed)
	require.NoError(t, err)
	_, err = w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.Bytes()
}

func TestEveryEncodingIsUnderstoodOverHTTP(t *testing.T) {
	r := start(t)
	body := encoded(t, logs(numbered("a", 1, 50)...))
	zipped := pack(t, body, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	framed := pack(t, body, func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil })
	for _, c := range []struct {
		encoding string
		body     []byte
	}{
		{"", body},
		{"gzip", zipped},
		{"zstd", pack(t, body, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })},
		{"snappy", snappy.Encode(nil, body)},
		{"snappy", framed},
		{"x-snappy-framed", framed},
	} {
		for _, path := range []string{"/v1/logs", "/otlp/v1/logs"} {
			r.Forget()
			response, err := r.post(r.plain(path), c.body, "Content-Encoding", c.encoding)
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, response.StatusCode, c.encoding)
			assert.Equal(t, contentType, response.Header.Get("Content-Type"))
			assert.Equal(t, 50, r.Report("a", 50).Received, c.encoding)
			assert.EqualValues(t, len(c.body), r.Counts().Bytes, "as sent")
		}
	}
	r.Forget()
	for _, c := range []struct {
		headers []string
		body    []byte
		code    int
	}{
		{[]string{"Content-Encoding", "br"}, body, http.StatusUnsupportedMediaType},
		{[]string{"Content-Type", "application/json"}, []byte("{}"), http.StatusUnsupportedMediaType},
		{[]string{"Content-Encoding", "gzip"}, body, http.StatusBadRequest},
		{[]string{"Content-Encoding", "gzip"}, zipped[:len(zipped)-9], http.StatusBadRequest},
		{[]string{"Content-Encoding", "zstd"}, body, http.StatusBadRequest},
		{[]string{"Content-Encoding", "snappy"}, []byte("\xff\xff\xff\xff\x7f"), http.StatusBadRequest},
		{nil, []byte("no protobuf"), http.StatusBadRequest},
	} {
		response, err := r.post(r.plain("/v1/logs"), c.body, c.headers...)
		require.NoError(t, err)
		assert.Equal(t, c.code, response.StatusCode, "%q %q", c.headers, c.body)
	}
	assert.Equal(t, 7, r.Counts().Refused)
	assert.Equal(t, 0, r.Counts().Logs)
}

func TestEveryCompressionIsUnderstoodOverGRPC(t *testing.T) {
	r := start(t)
	for _, compression := range []string{"identity", "gzip", "zstd", "snappy"} {
		r.Forget()
		request := logs(numbered("a", 1, 500)...)
		_, err := r.grpc.Export(context.Background(), request, grpc.UseCompressor(compression))
		require.NoError(t, err, compression)
		assert.Equal(t, 500, r.Report("a", 500).Received)
		full := int64(len(encoded(t, request)))
		if compression == "identity" {
			assert.Equal(t, full, r.Counts().Bytes)
		} else {
			assert.Less(t, r.Counts().Bytes, full/2, compression)
		}
	}
}

func TestTracesAndMetricsAreCounted(t *testing.T) {
	r := start(t)
	traces := ptrace.NewTraces()
	spans := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	spans.AppendEmpty()
	spans.AppendEmpty()
	metrics := pmetric.NewMetrics()
	list := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for _, name := range []string{"up", "down"} {
		m := list.AppendEmpty()
		m.SetName(name)
		m.SetEmptyGauge().DataPoints().AppendEmpty()
		m.Gauge().DataPoints().AppendEmpty()
	}
	ctx := context.Background()

	_, err := ptraceotlp.NewGRPCClient(r.conn).Export(ctx, ptraceotlp.NewExportRequestFromTraces(traces))
	require.NoError(t, err)
	_, err = pmetricotlp.NewGRPCClient(r.conn).Export(ctx, pmetricotlp.NewExportRequestFromMetrics(metrics))
	require.NoError(t, err)
	for path, body := range map[string][]byte{
		"/v1/traces":       encoded(t, ptraceotlp.NewExportRequestFromTraces(traces)),
		"/otlp/v1/metrics": encoded(t, pmetricotlp.NewExportRequestFromMetrics(metrics)),
	} {
		response, err := r.post(r.plain(path), body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}

	counts := get[Counts](r, "/counts")
	assert.Equal(t, 4, counts.Spans)
	assert.Equal(t, 8, counts.MetricPoints)
	assert.Equal(t, []string{"down", "up"}, counts.Metrics)
	assert.Equal(t, 4, counts.Requests)
	assert.Zero(t, counts.Refused)
}

func TestTheLastRequestsPathIsTold(t *testing.T) {
	r := start(t)
	for _, path := range []string{"/v1/logs", "/otlp/v1/logs", "/otlp/v1/traces"} {
		_, err := r.post(r.plain(path), nil)
		require.NoError(t, err)
		assert.Equal(t, path, get[Counts](r, "/counts").Path)
	}
	_, err := r.grpc.Export(context.Background(), logs())
	require.NoError(t, err)
	assert.Equal(t, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", get[Counts](r, "/counts").Path)
}

func TestTheLastRequestsHeadersAreTold(t *testing.T) {
	r := start(t)
	_, err := r.post(r.plain("/v1/logs"), nil, "X-Scope-OrgID", "one")
	require.NoError(t, err)
	assert.Equal(t, "one", get[Counts](r, "/counts").Headers["x-scope-orgid"])
	ctx := metadata.AppendToOutgoingContext(context.Background(), "x-scope-orgid", "two")
	_, err = r.grpc.Export(ctx, logs())
	require.NoError(t, err)
	assert.Equal(t, "two", get[Counts](r, "/counts").Headers["x-scope-orgid"])
	require.NoError(t, r.Behave("mode=status&code=401"))
	_, err = r.post(r.plain("/v1/logs"), nil, "Authorization", "Bearer x")
	require.NoError(t, err)
	assert.Equal(t, "Bearer x", get[Counts](r, "/counts").Headers["authorization"], "of a refused one too")
}

func TestRecordsAreToldAsTheyCame(t *testing.T) {
	r := start(t)
	made := plog.NewLogs()
	resource := made.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("k8s.pod.name", "web-1")
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	plain := records.AppendEmpty()
	plain.Body().SetStr("hello")
	plain.Attributes().PutStr("log.file.name", "app.log")
	plain.SetSeverityText("WARN")
	plain.SetSeverityNumber(plog.SeverityNumberWarn)
	written := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)
	plain.SetTimestamp(pcommon.NewTimestampFromTime(written))
	plain.SetObservedTimestamp(pcommon.NewTimestampFromTime(written.Add(time.Second)))
	body := records.AppendEmpty().Body().SetEmptyMap()
	body.PutStr("message", "hello map")
	body.PutInt("status", 200)
	body.PutEmptySlice("tags").AppendEmpty().SetStr("a")
	_, err := r.grpc.Export(context.Background(), plogotlp.NewExportRequestFromLogs(made))
	require.NoError(t, err)

	got := get[[]map[string]any](r, "/records")
	pod := map[string]any{"k8s.pod.name": "web-1"}
	assert.Equal(t, []map[string]any{
		{
			"body": "hello", "attributes": map[string]any{"log.file.name": "app.log"}, "resource": pod,
			"severityText": "WARN", "severityNumber": 13.0,
			"timestamp": "2026-01-02T03:04:05.123456789Z", "observedTimestamp": "2026-01-02T03:04:06.123456789Z",
		},
		{
			"body":       map[string]any{"message": "hello map", "status": 200.0, "tags": []any{"a"}},
			"attributes": map[string]any{}, "resource": pod, "severityText": "", "severityNumber": 0.0,
		},
	}, got)
	structured := get[[]Record](r, "/records?contains=%22status%22:200")
	require.Len(t, structured, 1)
	assert.JSONEq(t, `{"message":"hello map","status":200,"tags":["a"]}`, structured[0].Text())
	assert.Equal(t, "hello", r.Records("", 2)[0].Text())
}

func TestTheLastTwoThousandRecordsAreKept(t *testing.T) {
	r := start(t)
	require.NoError(t, r.ship(numbered("old", 1, 300)...))
	require.NoError(t, r.ship(numbered("n", 1, 1500)...))
	require.NoError(t, r.ship(numbered("n", 1501, 2100)...))

	all := get[[]Record](r, "/records")
	require.Len(t, all, 2000)
	for i, record := range all {
		require.Equal(t, fmt.Sprintf("n %d", 101+i), record.Body, "the oldest first")
	}
	last := get[[]Record](r, "/records?contains=9&last=2")
	require.Len(t, last, 2)
	assert.Equal(t, []any{"n 2098", "n 2099"}, []any{last[0].Body, last[1].Body})
	assert.Empty(t, get[[]Record](r, "/records?contains=old"))
}

func TestForgettingForgetsEverythingButTheBehaviour(t *testing.T) {
	r := start(t)
	require.NoError(t, r.ship("a 1 ts=1"))
	r.tell("/behave?mode=status&code=503")
	r.tell("/forget")

	assert.Equal(t, Counts{Metrics: []string{}, Headers: map[string]string{}}, get[Counts](r, "/counts"))
	assert.Empty(t, r.Records("", 10))
	assert.Zero(t, r.Latency())
	assert.Equal(t, 1, r.Report("a", 1).Lost)
	assert.Equal(t, codes.Unavailable, status.Code(r.ship("a 1")))
}

func TestLatencyIsThatOfLinesThatSayWhenTheyWereWritten(t *testing.T) {
	r := start(t)
	sent := func(ago time.Duration) string {
		return fmt.Sprintf("a 1 ts=%d rest", time.Now().Add(-ago).UnixNano())
	}
	for way, send := range r.ways() {
		r.Forget()
		began := time.Now()
		lines := []string{"no time", "a 2 ts=x", sent(-time.Hour)}
		for range 97 {
			lines = append(lines, sent(100*time.Millisecond))
		}
		lines = append(lines, sent(time.Second), sent(10*time.Second))

		require.NoError(t, send(lines...), way)

		late := float64(time.Since(began).Milliseconds() + 1)
		got := get[Latency](r, "/latency")
		assert.Equal(t, 100, got.Count)
		for written, quantile := range map[float64]float64{100: got.P50, 1000: got.P99, 10_000: got.Max} {
			assert.GreaterOrEqual(t, quantile, written, way)
			assert.LessOrEqual(t, quantile, (written+late)*33/32, "%s: exact to one part in 32", way)
		}
	}
}

func TestTheHistogramIsExactToOnePart32(t *testing.T) {
	for _, value := range []int64{0, 1, 31, 32, 63, 64, 65, 1000, 123_456_789, 1<<62 + 12345, 1<<63 - 1} {
		var h histogram
		h.add(value)
		h.max = 1<<63 - 1 // which quantiles do not exceed
		got := h.quantile(0.5)
		assert.GreaterOrEqual(t, got, value)
		assert.LessOrEqual(t, float64(got-value), float64(value)/32, "%d", value)
	}
	var h histogram
	assert.Zero(t, h.quantile(0.99))
}

func TestEveryRequestFailsAsTold(t *testing.T) {
	r := start(t)
	for _, c := range []struct {
		query string
		http  int
		after string
		grpc  codes.Code
		wait  time.Duration // RetryInfo
	}{
		{"mode=status&code=500", 500, "", codes.Unavailable, 0},
		{"mode=status&code=503&retryAfter=1", 503, "1", codes.Unavailable, time.Second},
		{"mode=status&code=429&retryAfter=2", 429, "2", codes.ResourceExhausted, 2 * time.Second},
		{"mode=status&code=429", 429, "", codes.ResourceExhausted, 0},
		{"mode=status&code=400", 400, "", codes.InvalidArgument, 0},
		{"mode=status&code=401", 401, "", codes.Unauthenticated, 0},
		{"mode=status&code=403", 403, "", codes.PermissionDenied, 0},
	} {
		r.Forget()
		r.tell("/behave?" + c.query)
		for _, url := range []string{r.plain("/v1/logs"), r.encrypted("/otlp/v1/traces")} {
			response, err := r.post(url, encoded(t, logs("a 1")))
			require.NoError(t, err)
			assert.Equal(t, c.http, response.StatusCode, c.query)
			assert.Equal(t, c.after, response.Header.Get("Retry-After"), c.query)
		}
		failure := status.Convert(r.ship("a 1"))
		assert.Equal(t, c.grpc, failure.Code(), c.query)
		var wait time.Duration
		for _, detail := range failure.Details() {
			wait = detail.(*errdetails.RetryInfo).RetryDelay.AsDuration()
		}
		assert.Equal(t, c.wait, wait, c.query)
		counts := r.Counts()
		assert.Equal(t, []int{3, 3, 0}, []int{counts.Requests, counts.Refused, counts.Logs})
	}
	r.tell("/behave?mode=ok")
	assert.NoError(t, r.ship("a 1"))
	assert.Zero(t, r.Report("a", 1).Lost)
}

func TestARequestHangsUntilTheModeChanges(t *testing.T) {
	r := start(t)
	for _, next := range []string{"mode=ok", "mode=hang", "mode=refuse"} {
		for way, send := range r.ways() {
			r.Forget()
			require.NoError(t, r.Behave("mode=ok"))
			require.NoError(t, r.Behave("mode=hang"))
			ended := make(chan error, 1)
			go func() { ended <- send("a 1") }()
			require.Eventually(t, func() bool { return r.Counts().Refused == 1 }, limit, time.Millisecond, way)
			select {
			case err := <-ended:
				require.Fail(t, "it was answered", "%s: %v", way, err)
			case <-time.After(100 * time.Millisecond):
			}
			require.NoError(t, r.Behave(next))
			select {
			case err := <-ended:
				assert.Error(t, err, way)
				assert.NotContains(t, err.Error(), "EOF", "it was answered")
			case <-time.After(limit):
				require.Fail(t, "still hanging", way)
			}
			assert.Zero(t, r.Counts().Logs)
		}
	}
}

func TestAConnectionIsReset(t *testing.T) {
	r := start(t)
	for way, send := range r.ways() {
		require.NoError(t, r.Behave("mode=ok"))
		require.NoError(t, send("before"), way)
		r.Forget()
		require.NoError(t, r.Behave("mode=reset"))
		err := send("a 1")
		require.Error(t, err, way)
		assert.Contains(t, err.Error(), syscall.ECONNRESET.Error(), way)
		assert.Zero(t, r.Counts().Logs)
		assert.Equal(t, r.Counts().Requests, r.Counts().Refused)
		assert.Positive(t, r.Counts().Refused, way)
	}
	require.NoError(t, r.Behave("mode=ok"))
	for way, send := range r.ways() {
		require.Eventually(t, func() bool { return send("after") == nil }, limit, 50*time.Millisecond, way)
	}
}

func TestConnectionsAreRefusedAndRecordsStay(t *testing.T) {
	r := start(t)
	for way, send := range r.ways() {
		require.NoError(t, send("a 1"), way)
	}
	before := r.Addresses()
	r.tell("/behave?mode=refuse")

	for way, send := range r.ways() {
		err := send("a 2")
		require.Error(t, err, way)
		assert.Contains(t, err.Error(), syscall.ECONNREFUSED.Error(), way)
	}
	assert.Equal(t, 3, get[Report](r, "/report?prefix=a&count=1").Received)
	assert.Equal(t, 0, r.Counts().Refused, "nobody got that far")
	r.tell("/behave?mode=refuse")
	r.tell("/behave?mode=ok")

	assert.Equal(t, before, r.Addresses())
	for way, send := range r.ways() {
		require.Eventually(t, func() bool { return send("a 2") == nil }, limit, 50*time.Millisecond, way)
	}
	assert.Equal(t, 3, r.Report("a", 1).Received)
	assert.Equal(t, 3, r.Report("a", 2).Received-r.Report("a", 1).Received)
}

func TestWhatIsRememberedIsAnswered(t *testing.T) {
	r := start(t)
	stop := make(chan struct{})
	var senders sync.WaitGroup
	sent := make(map[string]*int)
	for way, send := range r.ways() {
		count := new(int)
		sent[way] = count
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				line := fmt.Sprintf("%s %d", way, *count+1)
				for send(line) != nil { // again, as a shipper does
					time.Sleep(time.Millisecond)
				}
				*count++
			}
		})
	}
	for _, mode := range []string{"refuse", "reset", "hang", "status&code=500", "refuse"} {
		time.Sleep(100 * time.Millisecond)
		require.NoError(t, r.Behave("mode="+mode))
		time.Sleep(20 * time.Millisecond)
		require.NoError(t, r.Behave("mode=ok"))
	}
	require.Eventually(t, func() bool {
		for way := range sent {
			if r.Report(way, 11).Lost > 0 {
				return false
			}
		}
		return true
	}, limit, 10*time.Millisecond, "each way goes on")
	close(stop)
	senders.Wait()
	for way, count := range sent {
		assert.Greater(t, *count, 10)
		assert.Equal(t, Report{*count, 0, 0, []string{}}, r.Report(way, *count), way)
	}
}

func TestWhatMakesNoSenseIsAnError(t *testing.T) {
	r := start(t)
	for _, path := range []string{
		"/behave", "/behave?mode=x", "/behave?mode=status", "/behave?mode=status&code=200", "/behave?mode=status&code=x",
		"/behave?mode=status&code=600", "/behave?mode=status&code=429&retryAfter=0", "/behave?mode=hang&code=500", "/behave?mode=ok&retryafter=1",
	} {
		response, err := r.post(r.told(path), nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusBadRequest, response.StatusCode, path)
	}
	for _, path := range []string{
		"/report", "/report?prefix=a", "/report?count=1", "/report?prefix=a+b&count=1", "/report?prefix=a&count=-1", "/records?last=x", "/records?last=-1",
	} {
		response, err := r.http.Get(r.told(path))
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusBadRequest, response.StatusCode, path)
	}
	require.NoError(t, r.ship("a 1"), "the behaviour is what it was")
	response, err := r.http.Get(r.told("/healthz"))
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)
}

func TestAnAddressInUseIsAnErrorAndLeavesNothingOpen(t *testing.T) {
	r := start(t)
	b := New(Config{Addresses: Addresses{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", HTTPS: r.Addresses().HTTP}})
	require.ErrorIs(t, b.Start(), syscall.EADDRINUSE)
	_, err := r.http.Get("http://" + b.Addresses().HTTP)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	r.Close()
	assert.Error(t, r.Behave("mode=ok"))
	require.Error(t, r.ship("a 1"))
}

// BenchmarkLogs receives requests of 1,000 lines of 100 bytes, each with its number and the time it was written.
func BenchmarkLogs(b *testing.B) {
	const size = 1000
	request := func() []byte {
		lines := numbered("bench", 1, size)
		for i, line := range lines {
			line = fmt.Sprintf("%s ts=%d ", line, time.Now().UnixNano())
			lines[i] = line + strings.Repeat("x", 100-len(line))
		}
		return encoded(b, logs(lines...))
	}
	report := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*size/b.Elapsed().Seconds(), "lines/s")
	}
	body := request()
	b.Run("decoded", func(b *testing.B) {
		backend := New(Config{})
		for b.Loop() {
			if _, err := backend.recordLogs(body, time.Now()); err != nil {
				b.Fatal(err)
			}
		}
		report(b)
	})
	b.Run("counted", func(b *testing.B) {
		backend := New(Config{})
		decoded := plogotlp.NewExportRequest()
		if err := decoded.UnmarshalProto(body); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			backend.store.addLogs(decoded.Logs(), time.Now())
		}
		report(b)
	})
	zipped := new(bytes.Buffer)
	w := gzip.NewWriter(zipped)
	_, _ = w.Write(body)
	w.Close()
	for name, c := range map[string]struct {
		body     []byte
		encoding string
	}{"http": {body, ""}, "http-gzip": {zipped.Bytes(), "gzip"}} {
		b.Run(name, func(b *testing.B) {
			backend := New(Config{Addresses: Addresses{HTTP: "127.0.0.1:0"}})
			if err := backend.Start(); err != nil {
				b.Fatal(err)
			}
			defer backend.Close()
			for b.Loop() {
				request, _ := http.NewRequest(http.MethodPost, "http://"+backend.Addresses().HTTP+"/v1/logs", bytes.NewReader(c.body))
				request.Header.Set("Content-Type", contentType)
				request.Header.Set("Content-Encoding", c.encoding)
				response, err := http.DefaultClient.Do(request)
				if err != nil || response.StatusCode != http.StatusOK {
					b.Fatal(err, response)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			report(b)
		})
	}
}
