package testimages

import (
	"context"
	"path/filepath"

	"github.com/outrigger-charts/outrigger/ci/cache"
)

// DatabasesRoot returns the path of a folder with the servers of the tests' databases, their tools and all that they need, as
// their images have them.
func DatabasesRoot(ctx context.Context, e Env) (string, error) {
	packages := []string{"mariadb-client", "mariadb-server-core", "postgresql-15", "redis-server"}
	dir := filepath.Join(e.Cache, "rootfs", "databases-"+new(cache.Key).Add(append(bookworm.key(), packages...)...).String())
	_, err := cache.Make(ctx, dir, func(tmp string) error {
		files, err := bookworm.files(ctx, e, packages...)
		if err != nil {
			return err
		}
		withoutCompiler(files)
		return unpack(ctx, e, files, tmp)
	})
	return dir, err
}
