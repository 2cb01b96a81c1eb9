package render

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestCallsOfTemplatesGoDownTheFloorsAndEachSaysWhatItTakesAndDoes(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	eachTemplate(t, filepath.Join(harness.Root(), "library/outrigger"), func(file, text string) { files[file] = text })

	assert.Empty(t, breaches(files, "outrigger-"+libraryVersion(t)+"."))
}

// floors are the folders of the library's templates, the highest first; CONTRIBUTING.md says what is there.
var floors = [][]string{
	{"_outrigger.tpl"}, {"_dispatched.tpl"}, {"manifest"}, {"notes", "objects"}, {"pod"}, {"check", "container", "patterns"}, {"kit"},
	{"_dependency.tpl"}, {"_version.tpl"},
}

// computed are the calls whose name is in a variable, with the folder that makes them, and what they may call: "" is a template
// of the chart's author.
var computed = map[string]struct{ folder, callee string }{
	"$entry.template": {"pod", `patterns\.\w+\.contribution`}, "$arguments.template": {"pod", ""}, ".template": {"manifest", ""},
}

var (
	aDefine    = regexp.MustCompile(`(?:\{\{- /\*\s((?:[^*]|\*[^/])*)\*/ -\}\}\n)?\{\{- define "([^"]+)" -\}\}`)
	aComment   = regexp.MustCompile(`(?s)\{\{-?\s*/\*.*?\*/\s*-?\}\}`)
	aCall      = regexp.MustCompile(`\binclude (?:"([^"]+)"|\(printf "([^"]+)"|([^\s)]+))`)
	aTemplate  = regexp.MustCompile(`\{\{-?\s*(?:template|block)\s+\S+`)
	ofPattern  = regexp.MustCompile(`\bvalues\.(\w+)`)
	positional = regexp.MustCompile(`\bindex \S+ \d+`)
	takes      = regexp.MustCompile(`(?m)^Takes: \S`)
	does       = regexp.MustCompile(`(?m)^(Prints|Sets|Reports): \S`)
)

type definition struct{ file, name, comment, body string }

func definitions(files map[string]string) []definition {
	var all []definition
	for _, file := range slices.Sorted(maps.Keys(files)) {
		text := files[file]
		matches := aDefine.FindAllStringSubmatchIndex(text, -1)
		for i, at := range matches {
			end := len(text)
			if i+1 < len(matches) {
				end = matches[i+1][0]
			}
			comment := ""
			if at[2] >= 0 {
				comment = text[at[2]:at[3]]
			}
			all = append(all, definition{file, text[at[4]:at[5]], comment, aComment.ReplaceAllString(text[at[1]:end], "")})
		}
	}
	return all
}

// breaches returns what in template files, each by its path below templates, breaks the rules of CONTRIBUTING.md.
func breaches(files map[string]string, versioned string) []string {
	var found []string
	all, home, patterns := definitions(files), map[string]string{}, map[string]bool{}
	for _, each := range all {
		home[each.name] = each.file
		patterns[part(each.file)] = true
	}
	callers := map[string]map[string]string{} // by file, and a file that it calls, the template that does
	for _, each := range all {
		say := func(format string, args ...any) {
			found = append(found, fmt.Sprintf("%s: %s: %s", each.file, each.name, fmt.Sprintf(format, args...)))
		}
		if folder := nameOfFolder(each.file, versioned); !strings.HasPrefix(each.name, folder) || strings.Contains(each.name[len(folder):], ".") {
			say("a name in this file is %sNAME", folder)
		}
		if floor(each.file) < 0 {
			say("its folder is on no floor")
		}
		if !takes.MatchString(each.comment) {
			say("the comment right above it has no line that begins with Takes:")
		}
		if !does.MatchString(each.comment) {
			say("the comment right above it has no line that begins with Prints:, Sets: or Reports:")
		}
		for _, read := range positional.FindAllString(each.body, -1) {
			say("%s reads an argument by its number; take a dict", read)
		}
		for _, call := range aTemplate.FindAllString(each.body, -1) {
			say("%s … is a call that nothing holds to the floors; write include", call)
		}
		for _, read := range ofPattern.FindAllStringSubmatch(each.body, -1) {
			if own := part(each.file); strings.HasPrefix(own, "patterns/") && patterns["patterns/"+read[1]] && own != "patterns/"+read[1] {
				say("%s is another pattern's; ask kit.entryNames and kit.entry", read[0])
			}
		}
		for _, call := range aCall.FindAllStringSubmatch(each.body, -1) {
			called, known := callees(call, part(each.file), versioned, all)
			if !known {
				say("%s calls what is not known here", call[0])
			}
			for _, name := range called {
				if !mayCall(each.file, home[name]) {
					say("calls %s, which is neither in its own folder nor on a lower floor that it may call", name)
				}
				if callers[each.file] == nil {
					callers[each.file] = map[string]string{}
				}
				callers[each.file][home[name]] = each.name
			}
		}
	}
	return append(found, circles(callers)...)
}

// callees returns the templates that a match of aCall in a folder may call, and whether it is known what it calls.
func callees(call []string, folder, versioned string, all []definition) ([]string, bool) {
	known, pattern := computed[call[3]].folder == folder, computed[call[3]].callee
	if call[3] != "" && (!known || pattern == "") {
		return nil, known
	}
	switch {
	case call[1] != "":
		pattern = regexp.QuoteMeta(call[1])
	case call[2] != "":
		pattern = strings.ReplaceAll(regexp.QuoteMeta(strings.Replace(call[2], "outrigger-%s.", versioned, 1)), "%s", `\w+`)
	default:
		pattern = regexp.QuoteMeta(versioned) + pattern
	}
	var names []string
	for _, each := range all {
		if regexp.MustCompile("^" + pattern + "$").MatchString(each.name) {
			names = append(names, each.name)
		}
	}
	return names, len(names) > 0
}

func nameOfFolder(file, versioned string) string {
	if unversioned[file] {
		return "outrigger."
	}
	return versioned + strings.ReplaceAll(strings.TrimSuffix(file, filepath.Base(file)), "/", ".")
}

// part returns what of a file's path its floor goes by: a folder, a pattern's folder, a file that is in none.
func part(file string) string {
	folders := strings.Split(file, "/")
	if folders[0] == "patterns" {
		return strings.Join(folders[:2], "/")
	}
	return folders[0]
}

func floor(file string) int {
	return slices.IndexFunc(floors, func(parts []string) bool { return slices.Contains(parts, strings.Split(file, "/")[0]) })
}

// mayCall says whether templates of one file may call those of another: a pattern calls itself and the kit.
func mayCall(caller, called string) bool {
	if strings.HasPrefix(caller, "patterns/") {
		return part(called) == part(caller) || part(called) == "kit"
	}
	return part(called) == part(caller) || floor(called) > floor(caller)
}

// circles returns the circles in which files call each other.
func circles(callers map[string]map[string]string) []string {
	var found []string
	done := map[string]bool{}
	var follow func(file string, path []string)
	follow = func(file string, path []string) {
		if begin := slices.Index(path, file); begin >= 0 && begin < len(path)-1 {
			circle := append(slices.Clone(path[begin:]), file)
			found = append(found, fmt.Sprintf("%s: %s: its calls go round in a circle: %s", file, callers[file][circle[1]], strings.Join(circle, " > ")))
		}
		if done[file] || slices.Contains(path, file) {
			return
		}
		for _, called := range slices.Sorted(maps.Keys(callers[file])) {
			follow(called, append(path, file))
		}
		done[file] = true
	}
	for _, file := range slices.Sorted(maps.Keys(callers)) {
		follow(file, nil)
	}
	return found
}

func TestWhatBreaksTheRulesOfTemplatesIsTold(t *testing.T) {
	t.Parallel()
	define := func(name, body string) string {
		return "{{- /*\nWhat it is for.\nTakes: nothing\nPrints: a text\n*/ -}}\n{{- define \"" + name + "\" -}}\n" + body + "\n{{- end -}}\n"
	}
	library := map[string]string{
		"_outrigger.tpl":          define("outrigger.job", `{{ include (printf "outrigger-%s.job" (include "outrigger.version" .)) . }}`),
		"_dependency.tpl":         define("outrigger.version", "1"),
		"_dispatched.tpl":         define("outrigger-1.job", `{{ include "outrigger-1.objects.job" . }}`),
		"manifest/_manifest.tpl":  define("outrigger-1.manifest.print", `{{ include .template . }}{{ include "outrigger-1.pod.pod" . }}`),
		"objects/_job.tpl":        define("outrigger-1.objects.job", `{{ include "outrigger-1.pod.pod" . }}`),
		"pod/_pod.tpl":            define("outrigger-1.pod.pod", `{{ include $entry.template . }}{{ include $arguments.template . }}{{ include "outrigger-1.check.pod" . }}`),
		"check/_pod.tpl":          define("outrigger-1.check.pod", `{{ include "outrigger-1.kit.name" . }}`),
		"container/_user.tpl":     define("outrigger-1.container.user", `{{ include "outrigger-1.kit.name" . }}`),
		"kit/_name.tpl":           define("outrigger-1.kit.name", `{{ include "outrigger-1.kit.name" . }}{{ include "outrigger-1.kit.text" . }}`),
		"kit/_text.tpl":           define("outrigger-1.kit.text", `{{ include "outrigger.version" . }}`),
		"patterns/sync/_sync.tpl": define("outrigger-1.patterns.sync.contribution", `{{ include (printf "outrigger-1.patterns.sync.of.%s" .key) . }}`),
		"patterns/sync/of/_a.tpl": define("outrigger-1.patterns.sync.of.a", `{{ include "outrigger-1.kit.name" . }}`),
		"patterns/tls/_tls.tpl":   define("outrigger-1.patterns.tls.contribution", `{{ .values.tls }}{{ .values.defaults }}{{ .template }}`),
	}
	assert.Empty(t, breaches(library, "outrigger-1."))

	for title, test := range map[string]struct{ file, text, told string }{
		"a call to a higher floor": {"kit/_up.tpl", define("outrigger-1.kit.up", `{{ include "outrigger-1.pod.pod" . }}`),
			"kit/_up.tpl: outrigger-1.kit.up: calls outrigger-1.pod.pod, which is neither in its own folder nor on a lower floor that it may call"},
		"a call to another folder of the floor": {"check/_aside.tpl", define("outrigger-1.check.aside", `{{ include "outrigger-1.container.user" . }}`),
			"check/_aside.tpl: outrigger-1.check.aside: calls outrigger-1.container.user, which is neither"},
		"a pattern that calls another": {"patterns/tls/_more.tpl", define("outrigger-1.patterns.tls.more", `{{ include "outrigger-1.patterns.sync.of.a" . }}`),
			"patterns/tls/_more.tpl: outrigger-1.patterns.tls.more: calls outrigger-1.patterns.sync.of.a, which is neither"},
		"a pattern that calls below the kit": {"patterns/tls/_more.tpl", define("outrigger-1.patterns.tls.more", `{{ include "outrigger.version" . }}`),
			"patterns/tls/_more.tpl: outrigger-1.patterns.tls.more: calls outrigger.version, which is neither"},
		"files that call each other": {"kit/_text.tpl", define("outrigger-1.kit.text", `{{ include "outrigger-1.kit.name" . }}`),
			"kit/_name.tpl: outrigger-1.kit.name: its calls go round in a circle: kit/_name.tpl > kit/_text.tpl > kit/_name.tpl"},
		"a circle by a computed name": {"patterns/sync/of/_b.tpl", define("outrigger-1.patterns.sync.of.b", `{{ include "outrigger-1.patterns.sync.contribution" . }}`),
			"patterns/sync/_sync.tpl: outrigger-1.patterns.sync.contribution: its calls go round in a circle: " +
				"patterns/sync/_sync.tpl > patterns/sync/of/_b.tpl > patterns/sync/_sync.tpl"},
		"a call of what is nowhere": {"kit/_lost.tpl", define("outrigger-1.kit.lost", `{{ include "outrigger-1.kit.gone" . }}`),
			`kit/_lost.tpl: outrigger-1.kit.lost: include "outrigger-1.kit.gone" calls what is not known here`},
		"a call of nobody knows what": {"kit/_lost.tpl", define("outrigger-1.kit.lost", `{{ include $which . }}`),
			"kit/_lost.tpl: outrigger-1.kit.lost: include $which calls what is not known here"},
		"an author's template below the pod": {"kit/_lost.tpl", define("outrigger-1.kit.lost", `{{ include .template . }}`),
			"kit/_lost.tpl: outrigger-1.kit.lost: include .template calls what is not known here"},
		"an author's template of a pattern": {"patterns/tls/_more.tpl", define("outrigger-1.patterns.tls.more", `{{ include $arguments.template . }}`),
			"patterns/tls/_more.tpl: outrigger-1.patterns.tls.more: include $arguments.template calls what is not known here"},
		"a call by template": {"kit/_up.tpl", define("outrigger-1.kit.up", `{{- template "outrigger-1.pod.pod" . }}`),
			`kit/_up.tpl: outrigger-1.kit.up: {{- template "outrigger-1.pod.pod" … is a call that nothing holds to the floors; write include`},
		"values of another pattern": {"patterns/tls/_more.tpl", define("outrigger-1.patterns.tls.more", `{{ range .call.values.sync }}{{ end }}`),
			"patterns/tls/_more.tpl: outrigger-1.patterns.tls.more: values.sync is another pattern's; ask kit.entryNames and kit.entry"},
		"a name of another folder": {"kit/_name2.tpl", define("outrigger-1.pod.name", ""),
			"kit/_name2.tpl: outrigger-1.pod.name: a name in this file is outrigger-1.kit.NAME"},
		"a name of a folder above": {"patterns/sync/of/_b.tpl", define("outrigger-1.patterns.sync.b", ""),
			"patterns/sync/of/_b.tpl: outrigger-1.patterns.sync.b: a name in this file is outrigger-1.patterns.sync.of.NAME"},
		"a name of a folder below": {"kit/_name2.tpl", define("outrigger-1.kit.of.name", ""),
			"kit/_name2.tpl: outrigger-1.kit.of.name: a name in this file is outrigger-1.kit.NAME"},
		"a public name with a version": {"_outrigger.tpl", define("outrigger-1.job", ""),
			"_outrigger.tpl: outrigger-1.job: a name in this file is outrigger.NAME"},
		"a folder on no floor": {"cellar/_a.tpl", define("outrigger-1.cellar.a", ""),
			"cellar/_a.tpl: outrigger-1.cellar.a: its folder is on no floor"},
		"no comment": {"kit/_bare.tpl", `{{- define "outrigger-1.kit.bare" -}}{{- end -}}`,
			"kit/_bare.tpl: outrigger-1.kit.bare: the comment right above it has no line that begins with Takes:"},
		"a comment that is further above": {"kit/_bare.tpl", strings.Replace(define("outrigger-1.kit.bare", ""), "*/ -}}\n", "*/ -}}\n\n", 1),
			"kit/_bare.tpl: outrigger-1.kit.bare: the comment right above it has no line that begins with Takes:"},
		"a comment of another's": {"kit/_bare.tpl", define("outrigger-1.kit.first", "") + `{{- define "outrigger-1.kit.bare" -}}{{- end -}}`,
			"kit/_bare.tpl: outrigger-1.kit.bare: the comment right above it has no line that begins with Takes:"},
		"a comment that does not say what it takes": {"kit/_bare.tpl", strings.Replace(define("outrigger-1.kit.bare", ""), "Takes: ", "Takes ", 1),
			"kit/_bare.tpl: outrigger-1.kit.bare: the comment right above it has no line that begins with Takes:"},
		"a comment that does not say what it does": {"kit/_bare.tpl", strings.Replace(define("outrigger-1.kit.bare", ""), "Prints: ", "prints: ", 1),
			"kit/_bare.tpl: outrigger-1.kit.bare: the comment right above it has no line that begins with Prints:, Sets: or Reports:"},
		"an argument by its number": {"kit/_first.tpl", define("outrigger-1.kit.first", `{{ index . 0 }}`),
			"kit/_first.tpl: outrigger-1.kit.first: index . 0 reads an argument by its number; take a dict"},
		"an argument by its number from within": {"kit/_first.tpl", define("outrigger-1.kit.first", `{{ range .list }}{{ (index $ 1).name }}{{ end }}`),
			"kit/_first.tpl: outrigger-1.kit.first: index $ 1 reads an argument by its number; take a dict"},
	} {
		t.Run(title, func(t *testing.T) {
			files := maps.Clone(library)
			files[test.file] = test.text

			told := breaches(files, "outrigger-1.")

			assert.Contains(t, strings.Join(told, "\n"), test.told)
		})
	}
}
