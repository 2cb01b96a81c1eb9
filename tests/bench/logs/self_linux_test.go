package logs

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

func TestTheCounterCountsLinesAndRecordsAndTellsHowLateTheyAre(t *testing.T) {
	c := newCounter(t)
	written := time.Now().Add(-time.Minute).UnixNano()
	logs := plog.NewLogs()
	for range 2 {
		ofResource := logs.ResourceLogs().AppendEmpty()
		ofResource.Resource().Attributes().PutStr("service.name", "web")
		for range 3 {
			record := ofResource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			record.Body().SetStr(fmt.Sprintf("line%s%d end", sentMark, written))
			record.Attributes().PutStr("log.file.name", "app.log")
		}
	}
	request, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(request)
	require.NoError(t, err)
	require.NoError(t, w.Close())

	for _, body := range []struct {
		encoding string
		bytes    []byte
	}{{"", request}, {"gzip", packed.Bytes()}} {
		post, err := http.NewRequest(http.MethodPost, "http://"+c.otlp.Addr().String()+"/v1/logs", bytes.NewReader(body.bytes))
		require.NoError(t, err)
		post.Header.Set("Content-Encoding", body.encoding)
		answer, err := http.DefaultClient.Do(post)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
	}
	connection, err := net.Dial("tcp", c.lines.Addr().String())
	require.NoError(t, err)
	_, err = fmt.Fprintf(connection, "one\ntwo%s%d end\nthree%[1]s12", sentMark, written)
	require.NoError(t, err)
	require.NoError(t, connection.Close())

	assert.Equal(t, 6+6+2, c.wait(14))
	assert.Len(t, c.late, 6+6+1, "a time that is cut off is left out")
	p50, p99 := c.latencies()
	assert.InDelta(t, time.Minute.Seconds(), p50.Seconds(), 10)
	assert.InDelta(t, time.Minute.Seconds(), p99.Seconds(), 10)
}

func TestTheUsageIsThatOfAllProcessesWithThoseThatHaveEnded(t *testing.T) {
	busy := "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done"
	p := run(t, exec.Command("sh", "-c", "sh -c '"+busy+"'; sh -c '"+busy+"; sleep 60' & wait"))
	child := 0
	require.Eventually(t, func() bool {
		all := tree(p.command.Process.Pid)
		child = len(all)
		return child == 3 // the shell, its second shell, and that one's sleep
	}, 20*time.Second, 10*time.Millisecond)

	u := p.usage()
	p.stop()

	times := p.command.ProcessState
	assert.Greater(t, u.processor, times.UserTime()+times.SystemTime(), "the first child's, and the second's, which was killed unwaited for")
	assert.Greater(t, u.resident, u.anonymous)
	assert.GreaterOrEqual(t, u.peak, u.resident)
	assert.Positive(t, u.anonymous)
}
