// Package version is the program's own version, which is the chart's.
package version

import "strings"

// Version is that of library/outrigger/Chart.yaml; a test of the repository holds the two together.
const Version = "0.2.0"

// Minor is the part of a version that documents carry: 0.1 of 0.1.0. Programs and documents of one minor version understand
// each other.
func Minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return version
	}
	return parts[0] + "." + parts[1]
}
