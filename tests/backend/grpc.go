package backend

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // registers it
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func init() {
	encoding.RegisterCompressor(compressor{
		"zstd",
		// One goroutine, their caller's: nobody closes a reader, and a reader of more would keep them.
		func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstd.MinWindowSize))
		},
		func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		},
	})
	encoding.RegisterCompressor(compressor{
		"snappy",
		func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil },
		func(r io.Reader) (io.Reader, error) { return snappy.NewReader(r), nil },
	})
}

// compressor is a compression of gRPC's messages.
type compressor struct {
	name   string
	pack   func(io.Writer) (io.WriteCloser, error)
	unpack func(io.Reader) (io.Reader, error)
}

func (c compressor) Name() string                                 { return c.name }
func (c compressor) Compress(w io.Writer) (io.WriteCloser, error) { return c.pack(w) }
func (c compressor) Decompress(r io.Reader) (io.Reader, error)    { return c.unpack(r) }

func (b *Backend) grpcServer() *grpc.Server {
	s := grpc.NewServer(
		grpc.Creds(connCredentials{insecure.NewCredentials()}),
		grpc.MaxRecvMsgSize(sizeLimit),
		grpc.UnaryInterceptor(b.intercept),
		grpc.StatsHandler(sizes{}),
	)
	plogotlp.RegisterGRPCServer(s, &logsService{b: b})
	ptraceotlp.RegisterGRPCServer(s, &tracesService{b: b})
	pmetricotlp.RegisterGRPCServer(s, &metricsService{b: b})
	return s
}

// intercept counts a request and fails it where that is the behaviour.
func (b *Backend) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	now := b.mode.now.Load()
	b.store.request(info.FullMethod, headers, *ctx.Value(sizeKey{}).(*int), now.mode != modeOK)
	switch now.mode {
	case modeStatus:
		failure := grpcStatus(now.code)
		if now.retryAfter > 0 {
			wait := durationpb.New(time.Duration(now.retryAfter) * time.Second)
			failure, _ = failure.WithDetails(&errdetails.RetryInfo{RetryDelay: wait})
		}
		return nil, failure.Err()
	case modeHang:
		now.wait(ctx)
		return nil, status.Error(codes.Unavailable, "told to hang, and released")
	case modeReset, modeRefuse:
		client, _ := peer.FromContext(ctx)
		reset(client.AuthInfo.(connInfo).conn)
		return nil, status.Error(codes.Unavailable, "nobody reads this")
	}
	return handle(ctx, request)
}

type logsService struct {
	plogotlp.UnimplementedGRPCServer
	b *Backend
}

// Export remembers logs.
func (s *logsService) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.b.store.addLogs(request.Logs(), time.Now())
	return plogotlp.NewExportResponse(), nil
}

type tracesService struct {
	ptraceotlp.UnimplementedGRPCServer
	b *Backend
}

// Export counts spans.
func (s *tracesService) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.b.store.addTraces(request.Traces())
	return ptraceotlp.NewExportResponse(), nil
}

type metricsService struct {
	pmetricotlp.UnimplementedGRPCServer
	b *Backend
}

// Export counts data points.
func (s *metricsService) Export(_ context.Context, request pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	s.b.store.addMetrics(request.Metrics())
	return pmetricotlp.NewExportResponse(), nil
}

// connCredentials are no credentials: they tell a request which connection it came by.
type connCredentials struct {
	credentials.TransportCredentials
}

type connInfo struct {
	credentials.CommonAuthInfo
	conn net.Conn
}

func (connInfo) AuthType() string { return "connection" }

func (connCredentials) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, connInfo{credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}, conn}, nil
}

// sizes tells a request how many bytes its message had as it was sent.
type sizes struct{}

type sizeKey struct{}

func (sizes) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, sizeKey{}, new(int))
}

func (sizes) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if message, ok := s.(*stats.InPayload); ok {
		*ctx.Value(sizeKey{}).(*int) += message.CompressedLength
	}
}

func (sizes) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (sizes) HandleConn(context.Context, stats.ConnStats)                       {}
