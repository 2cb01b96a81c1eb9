package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/invopop/jsonschema"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

// documents returns the schema of what the chart writes into OUTRIGGER_CONFIG, made of the Go types that the program reads it
// into, with their comments.
func documents() (*jsonschema.Schema, error) {
	reflector := &jsonschema.Reflector{DoNotReference: true}
	if err := reflector.AddGoComments("github.com/outrigger-charts/outrigger", "./library/sidecar/document", jsonschema.WithFullComment()); err != nil {
		return nil, err
	}
	both := uint64(2) // the version and one verb
	minor := version.Minor(version.Version)
	schema := &jsonschema.Schema{
		Version:              "https://json-schema.org/draft/2020-12/schema",
		Title:                fmt.Sprintf("A document of outrigger %s: the variable %s of a container", minor, document.Variable),
		Type:                 "object",
		Properties:           jsonschema.NewProperties(),
		Required:             []string{"version"},
		MinProperties:        &both,
		MaxProperties:        &both,
		AdditionalProperties: jsonschema.FalseSchema,
	}
	schema.Properties.Set("version", &jsonschema.Schema{Const: minor})
	for _, verb := range slices.Sorted(maps.Keys(document.Verbs)) {
		part := reflector.Reflect(document.Verbs[verb]())
		part.Version, part.ID = "", ""
		schema.Properties.Set(verb, part)
	}
	return schema, nil
}
