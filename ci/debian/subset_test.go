package debian

import (
	"slices"
	"testing"
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
	got := Closure(status, "iptables")
	slices.Sort(got)
	want := []string{"exim", "iptables", "libc6", "libgcc-s1", "libxtables12", "perl"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
