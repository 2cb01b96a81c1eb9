package debian

import (
	"fmt"
	"path/filepath"
)

// Command returns the command that runs a program of packages that were unpacked into a folder, to which its arguments are
// added: the dynamic linker of their own libc, as this machine's may be older. Its third word is where their libraries are.
func Command(folder, program string) ([]string, error) {
	var found [2]string
	for i, pattern := range []string{"usr/lib*/ld-linux-*.so.*", "usr/lib/*-linux-gnu*"} {
		paths, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(paths) == 0 {
			return nil, fmt.Errorf("no %s in %s", pattern, folder)
		}
		found[i] = paths[0]
	}
	return []string{found[0], "--library-path", found[1], filepath.Join(folder, program)}, nil
}
