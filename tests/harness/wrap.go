package harness

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Wrapped returns a template file as outrigger.manifest takes it: all of it between a define and an end, and below it the
// call, which prints it. More of the call's arguments may follow, as they are written: `"workload" "web"`.
func Wrapped(define, file string, arguments ...string) string {
	return fmt.Sprintf("{{- define %q }}\n%s\n{{- end }}\n{{ include \"outrigger.manifest\" (dict \"context\" . \"template\" %[1]q %[3]s) }}\n",
		define, strings.TrimSuffix(file, "\n"), strings.Join(arguments, " "))
}

var (
	holdsWorkload = regexp.MustCompile(`(?m)^[ -]*kind: *["']?(Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|CronJob|Pod|Rollout)\b`)
	templatedKind = regexp.MustCompile(`(?ms)^[ -]*kind: *["']?{{.*^ *(template|containers):`)
	ownDefine     = regexp.MustCompile(`{{-?\s*define\b`)
)

// WrapWorkloads returns the chart with each of its template files wrapped that holds a workload, or an object with a pod template whose
// kind is templated; the names of these files, and of those that cannot be wrapped, as they have a define of their own.
func (c Chart) WrapWorkloads() (wrapped Chart, files, refused []string) {
	all := maps.Clone(c.files)
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		text := string(c.files[name])
		isTemplate := strings.HasPrefix(name, "templates/") && slices.Contains([]string{".yaml", ".yml", ".tpl"}, path.Ext(name))
		if !isTemplate || strings.HasPrefix(path.Base(name), "_") || !holdsWorkload.MatchString(text) && !templatedKind.MatchString(text) {
			continue
		}
		if ownDefine.MatchString(text) {
			refused = append(refused, name)
			continue
		}
		files = append(files, name)
		all[name] = []byte(Wrapped("outrigger-test."+name, text))
	}
	return Chart{files: all}, files, refused
}

// Try renders the chart by the given Helm alone, 3 or 4, and returns the text of each template by its path, or an error, which is
// no failure of the test.
func (c Chart) Try(t testing.TB, helm int, values string) (map[string]string, error) {
	t.Helper()
	settings := Settings{KubeVersion: KubeVersion, Release: "demo", Namespace: "default"}
	if helm == 4 {
		return c.render4(values, settings)
	}
	return c.render3(t, values, settings)
}
