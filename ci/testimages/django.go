package testimages

import (
	"context"
	"io/fs"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
)

// DjangoRef is the image of charts/django-app.
const DjangoRef = "ghcr.io/outrigger-charts/django-app:0.1.0"

const djangoSource = "charts/django-app/app"

// django is what the Dockerfile of charts/django-app makes, from Python's own image and its package index.
var django = Image{
	Ref:     DjangoRef,
	MadeOf:  "the source in " + djangoSource + ", and Debian's python3-django 5.2, gunicorn 26.2 and python3-psycopg 3.3",
	Key:     forky.key(),
	Folders: []string{djangoSource},
	StandIn: djangoStandIn,
}

func djangoStandIn(ctx context.Context, e Env) (image.Spec, error) {
	f, err := forky.python(ctx, e, append(debianTools, "gunicorn", "python3-django", "python3-psycopg-c")...)
	if err != nil {
		return image.Spec{}, err
	}
	system(f)
	source := filepath.Join(e.Root, djangoSource)
	readable := func(string) fs.FileMode { return 0o644 }
	if err := f.CopyDir("app", source, readable); err != nil {
		return image.Spec{}, err
	}
	// What collectstatic does with the static files of the one app that has any.
	if err := f.CopyDir("srv/static", filepath.Join(source, "guestbook/static"), readable); err != nil {
		return image.Spec{}, err
	}
	return image.Spec{Files: f, Config: v1.Config{
		Cmd:        []string{"gunicorn", "guestbook.wsgi"},
		WorkingDir: "/app",
		User:       "1000",
		Env:        []string{searchPath, "LANG=C.UTF-8"},
	}}, nil
}
