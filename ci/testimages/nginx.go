package testimages

import (
	"context"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/image"
)

const nginxSuite = "bookworm"

// nginx is what a chart made by 'helm create' runs. Upstream's is Debian's slim image and nginx.
var nginx = Image{
	Ref:     "docker.io/library/nginx:1.16.0",
	MadeOf:  "nginx 1.22 of Debian's nginx-light, laid out as upstream's image",
	Key:     []string{nginxSuite},
	StandIn: nginxStandIn,
}

func nginxStandIn(ctx context.Context, e Env) (image.Spec, error) {
	key := new(cache.Key).Add(nginxSuite, "nginx-light")
	tar := filepath.Join(e.Cache, "rootfs", "nginx-"+key.String()+".tar")
	if _, err := cache.Make(ctx, tar, func(tmp string) error {
		return debian.RootFS(ctx, e.Log, tmp, nginxSuite, "nginx-light")
	}); err != nil {
		return image.Spec{}, err
	}
	files, err := nginxFiles(tar)
	return image.Spec{Files: files, Config: v1.Config{
		Cmd:          []string{"nginx", "-g", "daemon off;"},
		Env:          []string{searchPath},
		ExposedPorts: map[string]struct{}{"80/tcp": {}},
		StopSignal:   "SIGQUIT",
	}}, err
}

// nginxFiles lays Debian's nginx out as upstream's own package does.
func nginxFiles(tar string) (*image.Files, error) {
	f := image.NewFiles()
	if err := f.AddTar(tar, keepOfNginx); err != nil {
		return nil, err
	}
	f.File("etc/nginx/nginx.conf", 0o644, nginxConf)
	f.File("etc/nginx/conf.d/default.conf", 0o644, nginxDefault)
	f.File("usr/share/nginx/html/index.html", 0o644, nginxIndex)
	f.File("usr/share/nginx/html/50x.html", 0o644, nginxIndex)
	f.Dir("var/cache/nginx", 0o755)
	f.Symlink("var/log/nginx/access.log", "/dev/stdout")
	f.Symlink("var/log/nginx/error.log", "/dev/stderr")
	// Debian compiles other paths in for what nginx writes; upstream's has them here.
	f.Dir("var/lib/nginx", 0o755)
	if err := f.Edit("etc/passwd", func(s string) string {
		return s + "nginx:x:101:101:nginx user,,,:/nonexistent:/bin/false\n"
	}); err != nil {
		return nil, err
	}
	return f, f.Edit("etc/group", func(s string) string { return s + "nginx:x:101:\n" })
}

func keepOfNginx(path string) bool {
	for _, left := range []string{
		"dev/", "var/lib/apt/lists/", "var/cache/apt/", "var/log/", "var/www", "etc/hostname", "etc/resolv.conf",
		"etc/nginx/nginx.conf", "etc/nginx/sites-", "etc/nginx/modules-", "etc/nginx/snippets", "etc/nginx/conf.d",
		"usr/share/nginx/",
	} {
		if strings.HasPrefix(path, left) {
			return false
		}
	}
	return true
}

const nginxConf = `
user  nginx;
worker_processes  1;

error_log  /var/log/nginx/error.log warn;
pid        /var/run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;

    keepalive_timeout  65;

    include /etc/nginx/conf.d/*.conf;
}
`

const nginxDefault = `server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
`

const nginxIndex = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
</body>
</html>
`
