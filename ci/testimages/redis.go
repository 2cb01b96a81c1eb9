package testimages

import (
	"context"
	_ "embed"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
)

// RedisRef is the image of the Redis server of the tests.
const RedisRef = "docker.io/library/redis:7.0"

//go:embed redis-entrypoint.sh
var redisEntrypoint string

// redis is a database that is backed up by the file it writes. Upstream's is Debian's slim image and Redis.
var redis = Image{
	Ref:     RedisRef,
	MadeOf:  "Redis 7.0 of Debian's redis-server, laid out as upstream's image",
	Key:     append(bookworm.key(), redisEntrypoint),
	StandIn: redisStandIn,
}

func redisStandIn(ctx context.Context, e Env) (image.Spec, error) {
	f, err := bookworm.files(ctx, e, append(debianTools, "redis-server")...)
	if err != nil {
		return image.Spec{}, err
	}
	return image.Spec{Files: f, Config: v1.Config{
		Entrypoint:   []string{"docker-entrypoint.sh"},
		Cmd:          []string{"redis-server"},
		WorkingDir:   "/data",
		Env:          []string{searchPath},
		ExposedPorts: map[string]struct{}{"6379/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
	}}, server(f, "redis", "/home/redis", redisEntrypoint, "data")
}
