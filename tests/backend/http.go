package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/proto"

	"github.com/outrigger-charts/outrigger/tests/tenants"
)

const contentType = "application/x-protobuf"

// connKey is where a request's context has its connection.
type connKey struct{}

func (b *Backend) httpServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, tenants.Healthy) })
	for path, record := range map[string]func([]byte, time.Time) ([]byte, error){
		"/v1/logs": b.recordLogs, "/v1/traces": b.recordTraces, "/v1/metrics": b.recordMetrics,
	} {
		handler := func(w http.ResponseWriter, r *http.Request) { b.receive(w, r, record) }
		mux.HandleFunc("POST "+path, handler)
		mux.HandleFunc("POST /otlp"+path, handler)
	}
	return &http.Server{
		Handler:     mux,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ErrorLog:    log.New(io.Discard, "", 0), // handshakes that clients break off
	}
}

// receive answers a request. Record remembers what an unpacked body holds, and returns the answer's body.
func (b *Backend) receive(w http.ResponseWriter, r *http.Request, record func([]byte, time.Time) ([]byte, error)) {
	packed, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sizeLimit))
	if err != nil {
		b.store.request(r.URL.Path, r.Header, len(packed), true)
		fail(w, http.StatusBadRequest, 0, err.Error())
		return
	}
	arrived := time.Now()
	now := b.mode.now.Load()
	b.store.request(r.URL.Path, r.Header, len(packed), now.mode != modeOK)
	switch now.mode {
	case modeStatus:
		fail(w, now.code, now.retryAfter, "told to fail")
		return
	case modeHang:
		now.wait(r.Context())
		fail(w, http.StatusServiceUnavailable, 0, "told to hang, and released")
		return
	case modeReset, modeRefuse:
		reset(r.Context().Value(connKey{}).(net.Conn))
		panic(http.ErrAbortHandler)
	}
	var answer []byte
	code := http.StatusUnsupportedMediaType
	if t := r.Header.Get("Content-Type"); t != contentType {
		err = fmt.Errorf("Content-Type %q: expected %s", t, contentType)
	} else if packed, err = unpack(packed, r.Header.Get("Content-Encoding")); err == nil {
		code = http.StatusBadRequest
		answer, err = record(packed, arrived)
	} else if !errors.Is(err, errEncoding) {
		code = http.StatusBadRequest
	}
	if err != nil {
		b.store.refused()
		fail(w, code, 0, err.Error())
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(answer)
}

// fail answers as OTLP wants it: with a Status.
func fail(w http.ResponseWriter, code, retryAfter int, message string) {
	failure := grpcStatus(code).Proto()
	failure.Message = message
	body, _ := proto.Marshal(failure)
	w.Header().Set("Content-Type", contentType)
	if retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

func (b *Backend) recordLogs(body []byte, arrived time.Time) ([]byte, error) {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return nil, err
	}
	b.store.addLogs(request.Logs(), arrived)
	return plogotlp.NewExportResponse().MarshalProto()
}

func (b *Backend) recordTraces(body []byte, _ time.Time) ([]byte, error) {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return nil, err
	}
	b.store.addTraces(request.Traces())
	return ptraceotlp.NewExportResponse().MarshalProto()
}

func (b *Backend) recordMetrics(body []byte, _ time.Time) ([]byte, error) {
	request := pmetricotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return nil, err
	}
	b.store.addMetrics(request.Metrics())
	return pmetricotlp.NewExportResponse().MarshalProto()
}

var (
	gzipReaders   = sync.Pool{New: func() any { return new(gzip.Reader) }}
	zstdReader, _ = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(sizeLimit)) // of no stream it cannot fail

	errEncoding = errors.New("expected gzip, zstd, snappy or none")
)

// framedSnappy is how a stream of snappy begins, which some clients send where others send a block.
const framedSnappy = "\xff\x06\x00\x00sNaPpY"

// unpack undoes a Content-Encoding.
func unpack(body []byte, encoding string) ([]byte, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		r := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(r)
		if err := r.Reset(bytes.NewReader(body)); err != nil {
			return nil, err
		}
		return readAll(r)
	case "zstd":
		return zstdReader.DecodeAll(body, nil)
	case "snappy", "x-snappy-framed":
		if strings.HasPrefix(string(body[:min(len(body), len(framedSnappy))]), framedSnappy) {
			return readAll(snappy.NewReader(bytes.NewReader(body)))
		}
		if size, err := snappy.DecodedLen(body); err != nil || size > sizeLimit {
			return nil, fmt.Errorf("a block of %d bytes: %w", size, snappy.ErrTooLarge)
		}
		return snappy.Decode(nil, body)
	}
	return nil, fmt.Errorf("Content-Encoding %q: %w", encoding, errEncoding)
}

func readAll(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, sizeLimit+1))
	if err == nil && len(body) > sizeLimit {
		err = fmt.Errorf("more than %d bytes", sizeLimit)
	}
	return body, err
}
