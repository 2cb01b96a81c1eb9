package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v4/pkg/chart/common/util"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// schemaOfValues is the library's values.schema.json, as text and read.
func schemaOfValues(t *testing.T) (text []byte, schema map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "library/outrigger/values.schema.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &schema))
	return text, schema
}

// spot is an object that the schema describes: where it is, which keys it has, and which of them it must have.
type spot struct {
	path     string
	keys     []string
	required []string
	open     bool           // its keys are names of the user's
	sample   map[string]any // with the keys that it must have
	values   func(any) any  // all of the values, with the object
}

// spots are all objects that the schema describes, each definition in one place.
type spots struct {
	definitions map[string]any
	seen        map[string]bool
	all         []spot
}

func spotsOf(schema map[string]any) []spot {
	s := &spots{definitions: schema["definitions"].(map[string]any), seen: map[string]bool{}}
	s.add(schema, "", func(value any) any { return value })
	return s.all
}

// add visits a schema at a path. values puts a value there into the whole.
func (s *spots) add(value any, path string, values func(any) any) {
	schema, is := value.(map[string]any)
	if !is {
		return
	}
	if reference, is := schema["$ref"].(string); is {
		name := strings.TrimPrefix(reference, "#/definitions/")
		if kind := strings.TrimSuffix(name, "OrNull"); !s.seen[kind] {
			s.seen[kind] = true
			s.add(s.definitions[name], path, values)
		}
		return
	}
	for _, key := range []string{"then", "else"} {
		s.add(schema[key], path, values)
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		alternatives, _ := schema[key].([]any)
		for _, each := range alternatives {
			if _, only := each.(map[string]any)["required"]; !only || schema["properties"] == nil {
				s.add(each, path, values)
			}
		}
	}
	if items, is := schema["items"]; is {
		s.add(items, path+"/0", func(value any) any { return values([]any{value}) })
	}
	properties, _ := schema["properties"].(map[string]any)
	each, open := schema["additionalProperties"].(map[string]any)
	if patterns, is := schema["patternProperties"].(map[string]any); is {
		each, open = patterns[slices.Collect(maps.Keys(patterns))[0]].(map[string]any), true
	}
	if properties == nil && !open {
		return
	}
	here := spot{path: path, open: open, sample: map[string]any{}, values: values, keys: slices.Sorted(maps.Keys(properties))}
	for _, key := range required(schema) {
		here.required = append(here.required, key)
		here.sample[key] = s.sample(properties[key])
	}
	s.all = append(s.all, here)
	with := func(key string) func(any) any {
		return func(value any) any {
			all := maps.Clone(here.sample)
			all[key] = value
			return values(all)
		}
	}
	for _, key := range here.keys {
		s.add(properties[key], path+"/"+key, with(key))
	}
	if open {
		s.add(each, path+"/name", with("name"))
	}
}

// required returns the keys that an object must have: those of the first of several ways among them.
func required(schema map[string]any) (keys []string) {
	list, _ := schema["required"].([]any)
	if ways, is := schema["oneOf"].([]any); is && schema["properties"] != nil {
		list = append(slices.Clone(list), ways[0].(map[string]any)["required"].([]any)...)
	}
	for _, key := range list {
		keys = append(keys, key.(string))
	}
	return keys
}

// sample returns a value that a schema takes.
func (s *spots) sample(value any) any {
	schema := value.(map[string]any)
	if reference, is := schema["$ref"].(string); is {
		return s.sample(s.definitions[strings.TrimPrefix(reference, "#/definitions/")])
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		if ways, is := schema[key].([]any); is && schema["type"] == nil {
			return s.sample(ways[0])
		}
	}
	if values, is := schema["enum"].([]any); is {
		return values[0]
	}
	if otherwise, is := schema["else"]; is {
		return s.sample(otherwise)
	}
	kind := fmt.Sprint(schema["type"])
	switch {
	case strings.Contains(kind, "object"):
		all := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		for _, key := range required(schema) {
			all[key] = s.sample(properties[key])
		}
		return all
	case strings.Contains(kind, "array"):
		return []any{s.sample(schema["items"])}
	case strings.Contains(kind, "string"):
		pattern, _ := schema["pattern"].(string)
		for _, text := range []string{"name", "1", "10s", "/path/file", "http://name", "(?P<a>.)"} {
			if regexp.MustCompile(pattern).MatchString(text) {
				return text
			}
		}
		panic("no sample of " + pattern)
	case strings.Contains(kind, "integer"), strings.Contains(kind, "number"):
		return 1.0
	}
	return true
}

// validations are how Helm 3 and Helm 4 hold values to a schema.
var validations = map[string]func(values map[string]any, schema []byte) error{
	"Helm 3": func(values map[string]any, schema []byte) error {
		return chartutil.ValidateAgainstSingleSchema(values, schema)
	},
	"Helm 4": func(values map[string]any, schema []byte) error {
		return util.ValidateAgainstSingleSchema(values, schema)
	},
}

// together returns values in one document, each under entries of its own: as they are long to check one by one. Paths begin with
// the number of the values.
func together(all []any) map[string]any {
	document := map[string]any{}
	for index, one := range all {
		document[fmt.Sprint(index)] = one
	}
	return document
}

// ofMany returns the schema of documents that together makes.
func ofMany(t *testing.T, schema map[string]any) []byte {
	t.Helper()
	root := maps.Clone(schema)
	delete(root, "definitions")
	delete(root, "$schema")
	text, err := json.Marshal(map[string]any{
		"$schema": schema["$schema"], "definitions": schema["definitions"], "type": "object", "additionalProperties": root,
	})
	require.NoError(t, err)
	return text
}

// Helm's validator tells a wrong place of what they refuse.
func TestTheSchemaSaysNothingOfTheNamesOfKeys(t *testing.T) {
	t.Parallel()
	text, _ := schemaOfValues(t)

	assert.NotContains(t, string(text), `"propertyNames"`, "additionalProperties: false beside patternProperties, or a check of the templates")
}

func TestNullMayStandForEachKeyThatMayBeLeftOut(t *testing.T) {
	t.Parallel()
	_, schema := schemaOfValues(t)
	var all []any
	nulls := 0
	for _, spot := range spotsOf(schema) {
		value := maps.Clone(spot.sample)
		for _, key := range spot.keys {
			if !slices.Contains(spot.required, key) {
				value[key] = nil
				nulls++
			}
		}
		if spot.open {
			value["name"] = nil
			nulls++
		}
		all = append(all, spot.values(value))
	}
	require.Greater(t, nulls, 800)

	for helm, validate := range validations {
		assert.NoError(t, validate(together(all), ofMany(t, schema)), helm)
	}
}

func TestNullInTheStepsOfAListIsRefused(t *testing.T) {
	t.Parallel()
	text, _ := schemaOfValues(t)
	for _, list := range []string{
		`{"containers": {"a": {"env": [null]}}}`,
		`{"containers": {"a": {"args": [null]}}}`,
		`{"backups": {"a": {"tolerations": [null]}}}`,
		`{"backups": {"a": {"imagePullSecrets": [null]}}}`,
	} {
		var values map[string]any
		require.NoError(t, json.Unmarshal([]byte(list), &values))

		for helm, validate := range validations {
			assert.ErrorContains(t, validate(values, text), "got null", "%s: %s", helm, list)
		}
	}
}

func TestNullForAKeyThatHasToBeThereIsRefusedByItsName(t *testing.T) {
	t.Parallel()
	_, schema := schemaOfValues(t)
	var all []any
	var paths []string
	for _, spot := range spotsOf(schema) {
		for _, key := range spot.required {
			value := maps.Clone(spot.sample)
			value[key] = nil
			paths = append(paths, fmt.Sprintf("/%d%s/%s", len(all), spot.path, key))
			all = append(all, spot.values(value))
		}
	}
	require.Greater(t, len(paths), 40)

	for helm, validate := range validations {
		err := validate(together(all), ofMany(t, schema))

		require.Error(t, err)
		for _, path := range paths {
			assert.Contains(t, err.Error(), "at '"+path, helm)
		}
	}
}
