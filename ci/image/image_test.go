package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// names lists a tree's tar file: each entry's name, and what it links to.
func names(t *testing.T, f *Files) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.WriteTar(&b); err != nil {
		t.Fatal(err)
	}
	var list []string
	for r := tar.NewReader(&b); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(list, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		name := h.Name
		if h.Linkname != "" {
			name += ">" + h.Linkname
		}
		list = append(list, name)
	}
}

func TestParentsComeFirstAndHardLinksLast(t *testing.T) {
	f := NewFiles()
	f.Hardlink("bin/a", "/bin/z")
	f.File("/bin/z", 0o755, "z")
	f.Symlink("usr/bin/env", "../../bin/env")
	if got, want := names(t, f), "bin/ bin/z usr/ usr/bin/ usr/bin/env>../../bin/env bin/a>bin/z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestATarIsReadBackAndFiltered(t *testing.T) {
	source := NewFiles()
	source.File("etc/keep", 0o640, "kept")
	source.File("var/cache/drop", 0o644, "dropped")
	if err := source.Own("etc/keep", 7, 8); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.tar")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(source.WriteTar(out), out.Close()); err != nil {
		t.Fatal(err)
	}
	f := NewFiles()
	if err := f.AddTar(path, func(p string) bool { return !strings.HasPrefix(p, "var") }); err != nil {
		t.Fatal(err)
	}
	if content, err := f.Read("/etc/keep"); err != nil || content != "kept" {
		t.Error(content, err)
	}
	if h := f.entries["etc/keep"].header; h.Uid != 7 || h.Gid != 8 || h.Mode != 0o640 {
		t.Errorf("owner or mode lost: %+v", h)
	}
	if got := names(t, f); got != "etc/ etc/keep" {
		t.Error(got)
	}
}

func TestADirectoryMovesWithItsHardLinks(t *testing.T) {
	f := NewFiles()
	f.Dir("bin", 0o755)
	f.File("bin/a", 0o755, "a")
	f.Hardlink("bin/b", "bin/a")
	f.Hardlink("sbin/c", "bin/a")
	f.File("binary", 0o644, "x")
	f.File("usr/bin/d", 0o755, "d")
	f.Move("bin", "usr/bin")
	f.Symlink("bin", "usr/bin")
	want := "bin>usr/bin binary sbin/ usr/ usr/bin/ usr/bin/a usr/bin/d sbin/c>usr/bin/a usr/bin/b>usr/bin/a"
	if got := names(t, f); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnEditThatChangesNothingIsAnError(t *testing.T) {
	f := NewFiles()
	f.File("config", 0o600, "a = 1")
	if err := f.Edit("config", func(s string) string { return strings.ReplaceAll(s, "b", "c") }); err == nil {
		t.Error("no error")
	}
	if err := f.Edit("config", func(s string) string { return strings.ReplaceAll(s, "1", "2") }); err != nil {
		t.Error(err)
	}
	if content, _ := f.Read("config"); content != "a = 2" || f.entries["config"].header.Mode != 0o600 {
		t.Error(content)
	}
}

func TestTheSameFilesMakeTheSameImage(t *testing.T) {
	digest := func() string {
		f := NewFiles()
		f.File("x", 0o644, "x")
		f.Dir("tmp", 0o777|os.ModeSticky)
		img, err := Build(Spec{Ref: "example.test/x:1", Files: f})
		if err != nil {
			t.Fatal(err)
		}
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	if a, b := digest(), digest(); a != b {
		t.Error(a, b)
	}
}
