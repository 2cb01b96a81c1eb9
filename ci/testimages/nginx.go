package testimages

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
)

// NginxRef is the image of nginx that the example charts run.
const NginxRef = "docker.io/library/nginx:1.30.5"

// nginx is Debian's slim image and nginx.
var nginx = nginxAs(NginxRef)

// nginxOfHelmCreate is what a chart made by 'helm create' runs.
var nginxOfHelmCreate = nginxAs("docker.io/library/nginx:1.16.0")

func nginxAs(ref string) Image {
	return Image{
		Ref:     ref,
		MadeOf:  "nginx 1.22 of Debian's nginx-light, laid out as upstream's image",
		Key:     bookworm.key(),
		StandIn: nginxStandIn,
	}
}

func nginxStandIn(ctx context.Context, e Env) (image.Spec, error) {
	f, err := bookworm.files(ctx, e, append(debianTools, "mawk", "nginx-light")...)
	if err != nil {
		return image.Spec{}, err
	}
	return image.Spec{Files: f, Config: v1.Config{
		Cmd:          []string{"nginx", "-g", "daemon off;"},
		Env:          []string{searchPath},
		ExposedPorts: map[string]struct{}{"80/tcp": {}},
		StopSignal:   "SIGQUIT",
	}}, layOutNginx(f)
}

// layOutNginx lays Debian's nginx out as upstream's own package does.
func layOutNginx(f *image.Files) error {
	system(f)
	for _, left := range []string{
		"etc/nginx/nginx.conf", "etc/nginx/sites-available", "etc/nginx/sites-enabled", "etc/nginx/modules-available",
		"etc/nginx/modules-enabled", "etc/nginx/snippets", "etc/nginx/conf.d", "usr/share/nginx", "var/log/nginx", "var/www",
	} {
		f.Remove(left)
	}
	f.File("etc/nginx/nginx.conf", 0o644, nginxConf)
	f.File("etc/nginx/conf.d/default.conf", 0o644, nginxDefault)
	f.File("usr/share/nginx/html/index.html", 0o644, nginxIndex)
	f.File("usr/share/nginx/html/50x.html", 0o644, nginxIndex)
	f.Symlink("etc/alternatives/awk", "/usr/bin/mawk") // as mawk's install script does
	f.Symlink("usr/bin/awk", "/etc/alternatives/awk")
	f.Dir("var/cache/nginx", 0o755)
	f.Symlink("var/log/nginx/access.log", "/dev/stdout")
	f.Symlink("var/log/nginx/error.log", "/dev/stderr")
	// Debian compiles other paths in for what nginx writes; upstream's has them here.
	f.Dir("var/lib/nginx", 0o755)
	return account(f, "nginx", "101", "/nonexistent", "/bin/false")
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
