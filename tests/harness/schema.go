package harness

import (
	"bytes"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas are compiled once each, by their text: a *jsonschema.Schema, or nil for one that does not compile.
var schemas sync.Map

// schemaHolds tells whether values are valid by a chart's schema, as Helm's ValidateAgainstSingleSchema does by the same
// library; Helm compiles the schema at each call, which is a third of a render's time. Where it says no, ask Helm for
// the words.
func schemaHolds(text []byte, values map[string]any) bool {
	if text == nil {
		return true
	}
	compiled, known := schemas.Load(string(text))
	if !known {
		compiled, _ = schemas.LoadOrStore(string(text), compileSchema(text))
	}
	schema := compiled.(*jsonschema.Schema)
	return schema != nil && schema.Validate(values) == nil
}

func compileSchema(text []byte) *jsonschema.Schema {
	const name = "file:///values.schema.json"
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, schema); err != nil {
		return nil
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil
	}
	return compiled
}

// schemasHold is schemaHolds for a chart of Helm 3 or Helm 4 and all that it depends on, which have their part of the values.
func schemasHold[C any](chart C, values map[string]any, name func(C) string, schema func(C) []byte, dependencies func(C) []C) bool {
	if !schemaHolds(schema(chart), values) {
		return false
	}
	for _, dependency := range dependencies(chart) {
		part := values[name(dependency)]
		if part == nil {
			continue
		}
		partValues, isMap := part.(map[string]any)
		if !isMap || !schemasHold(dependency, partValues, name, schema, dependencies) {
			return false
		}
	}
	return true
}
