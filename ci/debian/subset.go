package debian

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/image"
)

// Subset returns the files that packages and all they depend on installed into a root file system,
// and the links by which a merged /usr goes by its old names. What the packages' install scripts made
// is not among them.
func Subset(rootFS *image.Files, packages ...string) (*image.Files, error) {
	status, err := rootFS.Read("var/lib/dpkg/status")
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, pkg := range Closure(status, nil, packages...) {
		lists := append(rootFS.Match("var/lib/dpkg/info/"+pkg+".list"), rootFS.Match("var/lib/dpkg/info/"+pkg+":*.list")...)
		if len(lists) == 0 {
			return nil, fmt.Errorf("package %s is not in the root file system", pkg)
		}
		list, err := rootFS.Read(lists[0])
		if err != nil {
			return nil, err
		}
		paths = append(paths, strings.Fields(list)...)
	}
	merged := []string{"bin", "sbin", "lib", "lib64"}
	subset := rootFS.Pick(merged...)
	for i, p := range paths {
		top, rest, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
		if len(subset.Match(top)) > 0 && rest != "" {
			paths[i] = path.Join("usr", top, rest)
		}
	}
	subset.Merge(rootFS.Pick(paths...))
	return subset, nil
}

// Files returns the files of packages that Packages has left in dir, and of all that they depend on but for those that are
// not needed, without their documentation.
func Files(dir string, unneeded []string, packages ...string) (*image.Files, error) {
	status, err := os.ReadFile(filepath.Join(dir, statusFile))
	if err != nil {
		return nil, err
	}
	files := image.NewFiles()
	for _, pkg := range Closure(string(status), unneeded, packages...) {
		if err := files.AddTar(filepath.Join(dir, pkg+".tar"), isNoDocumentation); err != nil {
			return nil, err
		}
	}
	// As on every system of Debian's: packages of older suites still go by the old names.
	for _, old := range []string{"bin", "sbin", "lib", "lib64"} {
		files.Move(old, "usr/"+old)
		files.Symlink(old, "usr/"+old)
	}
	return files, nil
}

func isNoDocumentation(path string) bool {
	return !slices.ContainsFunc(documentation, func(dir string) bool { return strings.HasPrefix(path, dir+"/") })
}

// Closure returns the named packages and all that they depend on but for those that are not needed, by what dpkg's status
// file says of the packages that are installed. Of alternatives, those that are installed are taken.
func Closure(status string, unneeded []string, packages ...string) []string {
	depends, provider := readStatus(status)
	var closure []string
	seen := map[string]bool{}
	for _, pkg := range unneeded {
		seen[pkg] = true
	}
	for queue := packages; len(queue) > 0; queue = queue[1:] {
		pkg := queue[0]
		if _, installed := depends[pkg]; !installed {
			pkg = provider[pkg]
		}
		if pkg == "" || seen[pkg] {
			continue
		}
		seen[pkg] = true
		closure = append(closure, pkg)
		queue = append(queue, depends[pkg]...)
	}
	return closure
}

func readStatus(status string) (depends map[string][]string, provider map[string]string) {
	depends, provider = map[string][]string{}, map[string]string{}
	for stanza := range strings.SplitSeq(status, "\n\n") {
		fields := map[string]string{}
		for line := range strings.Lines(stanza) {
			if name, value, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
				fields[name] = strings.TrimSpace(value)
			}
		}
		pkg := fields["Package"]
		if pkg == "" {
			continue
		}
		depends[pkg] = append(names(fields["Pre-Depends"]), names(fields["Depends"])...)
		for _, virtual := range names(fields["Provides"]) {
			provider[virtual] = pkg
		}
	}
	return depends, provider
}

// names returns the package names in a dependency field: "a (>= 1), b | c:any" has a, b and c.
func names(field string) []string {
	var all []string
	for _, alternative := range strings.FieldsFunc(field, func(r rune) bool { return r == ',' || r == '|' }) {
		if words := strings.Fields(alternative); len(words) > 0 {
			name, _, _ := strings.Cut(words[0], ":")
			all = append(all, name)
		}
	}
	return all
}
