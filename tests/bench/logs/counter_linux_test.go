package logs

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// sentMark stands before the time, in nanoseconds since 1970, at which a line was written.
const sentMark = " ts="

// stampDigits is how many digits that time has.
const stampDigits = 19

// counter receives lines over TCP and records by OTLP/HTTP, and counts them at as little cost as it can: the processor's
// cores are the agent's and its.
type counter struct {
	lines, otlp net.Listener
	mutex       sync.Mutex
	count       int
	at          time.Time // of the last arrival
	late        []time.Duration
}

func newCounter(t testing.TB) *counter {
	c := &counter{}
	var err error
	c.lines, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c.otlp, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for {
			connection, err := c.lines.Accept()
			if err != nil {
				return
			}
			go c.receiveLines(connection)
		}
	}()
	server := &http.Server{Handler: http.HandlerFunc(c.receiveOTLP)}
	go server.Serve(c.otlp)
	t.Cleanup(func() { c.lines.Close(); server.Close() })
	return c
}

func (c *counter) receiveLines(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 256<<10)
	for {
		n, err := connection.Read(buffer)
		if n > 0 {
			c.arrived(bytes.Count(buffer[:n], []byte("\n")), buffer[:n], time.Now())
		}
		if err != nil {
			return
		}
	}
}

var unzipped = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (c *counter) receiveOTLP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	buffer := unzipped.Get().(*bytes.Buffer)
	defer unzipped.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.arrived(logRecords(buffer.Bytes()), buffer.Bytes(), time.Now())
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// logRecords counts an ExportLogsServiceRequest's log records, without decoding them.
func logRecords(request []byte) (count int) {
	eachField(request, 1, func(resourceLogs []byte) {
		eachField(resourceLogs, 2, func(scopeLogs []byte) {
			eachField(scopeLogs, 2, func([]byte) { count++ })
		})
	})
	return count
}

// eachField calls f with each occurrence of a message's field that is a message.
func eachField(message []byte, number protowire.Number, f func([]byte)) {
	for len(message) > 0 {
		found, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		length := protowire.ConsumeFieldValue(found, kind, message)
		if length < 0 {
			return
		}
		if found == number && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			f(value)
		}
		message = message[length:]
	}
}

// arrived notes lines, and how long those took that say when they were written. A time that is cut off at the end of the
// text is left out.
func (c *counter) arrived(lines int, text []byte, now time.Time) {
	var late []time.Duration
	for {
		at := bytes.Index(text, []byte(sentMark))
		if at < 0 || len(text) < at+len(sentMark)+stampDigits {
			break
		}
		text = text[at+len(sentMark):]
		var stamp int64
		for _, digit := range text[:stampDigits] {
			stamp = stamp*10 + int64(digit-'0')
		}
		late = append(late, time.Duration(now.UnixNano()-stamp))
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.count += lines
	c.at = now
	c.late = append(c.late, late...)
}

func (c *counter) last() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.at
}

// wait returns how many lines have arrived once they are so many, or once no more arrive.
func (c *counter) wait(lines int) int {
	since, last := time.Now(), -1
	for {
		c.mutex.Lock()
		count := c.count
		c.mutex.Unlock()
		if count != last {
			since, last = time.Now(), count
		}
		if count >= lines || time.Since(since) > stillness {
			return count
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *counter) forgetLatencies() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.late = nil
}

func (c *counter) latencies() (p50, p99 time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	slices.Sort(c.late)
	if len(c.late) == 0 {
		return 0, 0
	}
	return c.late[len(c.late)/2], c.late[len(c.late)*99/100]
}
