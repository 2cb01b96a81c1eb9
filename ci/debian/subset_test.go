package debian

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/outrigger-charts/outrigger/ci/image"
)

const status = `Package: iptables
Status: install ok installed
Pre-Depends: libc6 (>= 2.35)
Depends: libxtables12 (= 1.8), mail-agent | nothing, perl:any
Description: a tool
 with two lines: one

Package: libc6
Depends: libgcc-s1

Package: libgcc-s1
Depends: libc6

Package: libxtables12

Package: exim
Provides: mail-agent (= 1)

Package: perl

Package: other
Depends: libc6
`

func TestClosureFollowsDependenciesOnce(t *testing.T) {
	for _, test := range []struct{ unneeded, want []string }{
		{nil, []string{"exim", "iptables", "libc6", "libgcc-s1", "libxtables12", "perl"}},
		{[]string{"perl", "libc6"}, []string{"exim", "iptables", "libxtables12"}},
	} {
		got := Closure(status, test.unneeded, "iptables")
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("without %v: %v, want %v", test.unneeded, got, test.want)
		}
	}
}

func TestFilesAreThoseOfPackagesAndTheirDependenciesByTheirNewNames(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, statusFile), []byte(status), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, paths := range map[string][]string{
		"libxtables12": {"lib/libxtables.so", "usr/share/doc/libxtables12/copyright"}, "exim": {"usr/sbin/exim", "sbin/mail"},
		"perl": {"usr/bin/perl"}, "libc6": {"lib64/ld.so"}, "other": {"usr/bin/other"}, "iptables": {"sbin/iptables"}, "libgcc-s1": nil,
	} {
		files := image.NewFiles()
		for _, path := range paths {
			files.File(path, 0o755, name)
		}
		tar, err := os.Create(filepath.Join(dir, name+".tar"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(files.WriteTar(tar), tar.Close()); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(dir, []string{"perl"}, "iptables")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range files.Select(func(string) bool { return true }) {
		if content, err := files.Read(name); err == nil {
			got = append(got, name+" of "+content)
		}
	}
	want := []string{
		"usr/lib/libxtables.so of libxtables12", "usr/lib64/ld.so of libc6", "usr/sbin/exim of exim", "usr/sbin/iptables of iptables",
		"usr/sbin/mail of exim",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if links := files.Match("*bin"); !slices.Equal(links, []string{"bin", "sbin"}) {
		t.Errorf("links: %q", links)
	}
}
