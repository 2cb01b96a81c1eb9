// Command schema writes library/outrigger/values.schema.json from the parts in library/schema and Kubernetes' own types, and
// files/container-fields.json, by which the library checks the containers that no schema sees, and files/first-versions.json, by
// which it tells what a cluster is too old for, and templates/kit/_default-values.tpl, which has values.yaml for charts that cannot
// depend on the library, and library/schema/document.json, what the chart and its program agree on.
//
// JSON Schema has no way to say "these keys, those of that type, and no others": additionalProperties does not see
// through allOf. So the parts that share keys are merged here, and the file is generated:
//
//	values.json        the library's own keys
//	entry.json         keys of every entry of every pattern
//	sidecar.json       keys of every entry that makes a sidecar from an image of the library's
//	listener.json      keys of every entry whose sidecar listens
//	job-pod.json       keys of every entry that makes Jobs: fields of their pods
//	server.json, …     keys that several of the following have: of a server, its password, a volume
//	patterns/*.json    one file for each pattern, named as its values key; "include" names parts or Kubernetes types
//	patterns/*/*.json  one file for each kind of it, a backup's source or a refresher's preset, named as its key in an entry
//
// Null may stand for each key that may be left out; the parts do not say so.
//
// Usage: go run ./ci/schema [--check]. With --check nothing is written, and a stale file is an error.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema" // reflects Go structs, so that the keys are the API's own and not typed in again
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	partsFolder = "library/schema"
	schemaFile  = "library/outrigger/values.schema.json"
	fieldsFile  = "library/outrigger/files/container-fields.json"
	firstFile   = "library/outrigger/files/first-versions.json"

	chartFile    = "library/outrigger/Chart.yaml"
	valuesFile   = "library/outrigger/values.yaml"
	documentFile = "library/schema/document.json"
	defaultsFile = "library/outrigger/templates/kit/_default-values.tpl"
)

// object is a JSON object, as encoding/json reads it.
type object = map[string]any

func main() {
	log.SetFlags(0)
	check := flag.Bool("check", false, "fail where the file is not what would be written")
	flag.Parse()
	if err := run(*check); err != nil {
		log.Fatal("schema: ", err)
	}
}

func run(check bool) error {
	schema, err := build(partsFolder)
	if err != nil {
		return err
	}
	if err := write(schemaFile, schema, " ", check); err != nil {
		return err
	}
	if err := write(fieldsFile, containerFields(), "", check); err != nil {
		return err
	}
	first, err := firstVersions()
	if err != nil {
		return err
	}
	if err := write(firstFile, first, "", check); err != nil {
		return err
	}
	document, err := documents()
	if err != nil {
		return err
	}
	if err := write(documentFile, document, "  ", check); err != nil {
		return err
	}
	defaults, err := defaultValues()
	if err != nil {
		return err
	}
	return writeText(defaultsFile, defaults, check)
}

// write writes a value as JSON, or with check fails where the file is not what would be written.
func write(file string, value any, indent string, check bool) error {
	text, err := json.MarshalIndent(value, "", indent)
	if err != nil {
		return err
	}
	return writeText(file, append(text, '\n'), check)
}

// writeText writes a file, or with check fails where it is not what would be written.
func writeText(file string, text []byte, check bool) error {
	if !check {
		return os.WriteFile(file, text, 0o644)
	}
	present, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(present, text) {
		return errors.New(file + " is stale; run: make generate")
	}
	return nil
}

// build returns the whole schema from the parts in a folder.
func build(folder string) (object, error) {
	schema, err := read(filepath.Join(folder, "values.json"))
	if err != nil {
		return nil, err
	}
	definitions, err := kubernetesTypes()
	if err != nil {
		return nil, err
	}
	patterns, err := filepath.Glob(filepath.Join(folder, "patterns", "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range patterns {
		pattern, err := read(file)
		if err != nil {
			return nil, err
		}
		key := strings.TrimSuffix(filepath.Base(file), ".json")
		if err := addKinds(folder, key, pattern, definitions); err != nil {
			return nil, err
		}
		entry, err := merged(folder, pattern, definitions)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		schema["properties"].(object)[key] = object{"type": "object", "additionalProperties": entry}
	}
	schema["definitions"] = referenced(schema["properties"], definitions)
	if schema, err = withNulls(schema); err != nil {
		return nil, err
	}
	schema["definitions"] = referenced(schema["properties"], schema["definitions"].(object))
	return schema, nil
}

// addKinds adds to a pattern's properties those of its folder: the sources of backups, the presets of token refreshers.
func addKinds(folder, pattern string, to object, definitions object) error {
	files, err := filepath.Glob(filepath.Join(folder, "patterns", pattern, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		kind, err := read(file)
		if err != nil {
			return err
		}
		properties, err := merged(folder, kind, definitions)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		to["properties"].(object)[strings.TrimSuffix(filepath.Base(file), ".json")] = properties
	}
	return nil
}

// merged returns the schema of a pattern's entries, or of one of its kinds: the parts that it includes, and its own properties,
// which win.
func merged(folder string, pattern object, definitions object) (object, error) {
	properties := object{}
	included, _ := pattern["include"].([]any)
	for _, name := range included {
		part, known := definitions[name.(string)].(object)
		if known {
			part = part["properties"].(object)
		} else {
			var err error
			if part, err = read(filepath.Join(folder, name.(string)+".json")); err != nil {
				return nil, err
			}
		}
		maps.Copy(properties, part)
	}
	maps.Copy(properties, pattern["properties"].(object))
	return object{
		"type":                 "object",
		"description":          pattern["description"],
		"additionalProperties": false,
		"properties":           properties,
	}, nil
}

// kubernetesTypes returns the definitions of the types that entries include, strict to the last key, and each field of a
// Job's and a CronJob's spec by itself, as JobSpec.FIELD. A container has no name here: the entry's key is its name. A
// mount may leave out its mountPath where the app says it.
func kubernetesTypes() (object, error) {
	definitions := object{}
	for _, value := range []any{
		corev1.Container{}, corev1.VolumeSource{}, corev1.Toleration{}, corev1.Affinity{}, corev1.LocalObjectReference{},
		batchv1.JobSpec{}, batchv1.CronJobSpec{},
	} {
		reflector := jsonschema.Reflector{Mapper: mapSpecialTypes}
		text, err := json.Marshal(reflector.Reflect(value))
		if err != nil {
			return nil, err
		}
		// The reflector writes draft 2020-12 references; Helm's validator wants them where draft-07 has them.
		var reflected object
		if err := json.Unmarshal(bytes.ReplaceAll(text, []byte("#/$defs/"), []byte("#/definitions/")), &reflected); err != nil {
			return nil, err
		}
		maps.Copy(definitions, reflected["$defs"].(object))
	}
	delete(definitions["Container"].(object)["properties"].(object), "name")
	const quantity = `^[+-]?[0-9.]+([eE][+-]?[0-9]+|[numkKMGTPE]i?)?$|\{\{`
	definitions["Quantity"] = object{"type": []string{"string", "number"}, "pattern": quantity}
	// Where the library has a default, a word turns it off.
	definitions["QuantityOrNone"] = object{"type": []string{"string", "number"}, "pattern": quantity + "|^none$"}
	definitions["ResourceListOrNone"] = object{"type": "object", "additionalProperties": object{"$ref": "#/definitions/QuantityOrNone"}}
	for _, kind := range []string{"limits", "requests"} {
		definitions["ResourceRequirements"].(object)["properties"].(object)[kind] = object{"$ref": "#/definitions/ResourceListOrNone"}
	}
	// What Kubernetes says of labels and of the names of its objects (validation.IsQualifiedName, IsValidLabelValue, IsDNS1123Subdomain).
	// Not propertyNames: Helm's validator tells a wrong place of what they refuse.
	definitions["Labels"] = object{
		"type": "object",
		"patternProperties": object{
			`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`: object{
				"type": "string", "pattern": `^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`,
			},
		},
		"additionalProperties": false,
	}
	// Of a template for a volume claim: Kubernetes refuses all else (ValidatePersistentVolumeClaimTemplate).
	definitions["ObjectMeta"] = object{
		"type":                 "object",
		"additionalProperties": false,
		"properties": object{
			"labels":      object{"$ref": "#/definitions/Labels"},
			"annotations": object{"type": "object", "additionalProperties": object{"type": "string"}},
		},
	}
	const objectName = `[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*`
	definitions["ObjectName"] = object{"type": "string", "pattern": "^" + objectName + "$"}
	definitions["ObjectNameOrTemplate"] = object{"type": "string", "pattern": "^(" + objectName + `|.*\{\{.*)$`}
	for _, spec := range []string{"JobSpec", "CronJobSpec"} {
		for field, schema := range definitions[spec].(object)["properties"].(object) {
			if schema := schema.(object); schema["type"] == "integer" {
				schema["minimum"] = 0 // of all of them: ValidateJobSpec, ValidateCronJobSpec
				schema["type"], schema["pattern"] = []string{"integer", "string"}, "^none$"
			}
			definitions[spec+"."+field] = schema
		}
	}
	definitions["GRPCAction"].(object)["required"] = []string{"port"} // of the service the type does not say that it may be left out
	port := definitions["ContainerPort"].(object)["properties"].(object)
	port["containerPort"] = object{"type": "integer", "minimum": 1, "maximum": 65535}
	port["hostPort"] = object{"type": "integer", "minimum": 0, "maximum": 65535}
	mount := maps.Clone(definitions["VolumeMount"].(object))
	mount["required"] = []string{"name"}
	definitions["SharedVolumeMount"] = mount
	definitions["NamedVolumeMount"] = named(mount)
	definitions["NamedContainerPort"] = named(definitions["ContainerPort"].(object), "containerPort")
	definitions["Environment"] = object{
		"description": "Kubernetes' list, or a map of names to values or to the fields of a variable.",
		"if":          object{"type": "array"},
		"then":        object{"items": object{"$ref": "#/definitions/EnvVar"}},
		"else":        object{"$ref": "#/definitions/Variables"},
	}
	definitions["Variables"] = object{
		"description": "Variables by name: a value, or the fields of a variable.",
		"type":        "object",
		"additionalProperties": object{
			"if":   object{"type": "object"},
			"then": object{"$ref": "#/definitions/NamedEnvVar"},
			"else": object{"type": []string{"string", "number", "boolean"}},
		},
	}
	definitions["PodEnvironment"] = object{
		"description": "Variables of the app's containers and init containers, by name: a value, or the fields of a variable.",
		"type":        "object",
		"properties": object{
			"sidecars": object{"$ref": "#/definitions/Variables"},
		},
		"additionalProperties": definitions["Variables"].(object)["additionalProperties"],
	}
	definitions["NamedEnvVar"] = named(definitions["EnvVar"].(object))
	return definitions, nil
}

// named returns the schema of a list's items as the values of a map, whose keys are their names.
func named(item object, required ...string) object {
	properties := maps.Clone(item["properties"].(object))
	delete(properties, "name")
	schema := maps.Clone(item)
	schema["properties"] = properties
	delete(schema, "required")
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// containerFields returns the fields of a container and of what it holds: by type, each field's type where that is one
// of them (with [] where it is a list), else "".
func containerFields() map[string]map[string]string {
	types := map[string]map[string]string{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		fields := map[string]string{}
		types[t.Name()] = fields
		var add func(reflect.Type)
		add = func(t reflect.Type) {
			for i := range t.NumField() {
				name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
				if name == "" {
					add(t.Field(i).Type)
					continue
				}
				list, inner := "", t.Field(i).Type
				for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
					if inner.Kind() == reflect.Slice {
						list = "[]"
					}
					inner = inner.Elem()
				}
				fields[name] = ""
				if inner.Kind() != reflect.Struct || mapSpecialTypes(inner) != nil {
					continue
				}
				fields[name] = list + inner.Name()
				if _, seen := types[inner.Name()]; !seen {
					walk(inner)
				}
			}
		}
		add(t)
	}
	walk(reflect.TypeFor[corev1.Container]())
	return types
}

// mapSpecialTypes gives the types that are not what their Go structs look like the shape they have in YAML.
func mapSpecialTypes(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[resource.Quantity]():
		return &jsonschema.Schema{Ref: "#/definitions/Quantity"}
	case reflect.TypeFor[intstr.IntOrString]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer"}, {Type: "string"}}}
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime]():
		return &jsonschema.Schema{Type: "string"}
	case reflect.TypeFor[metav1.FieldsV1]():
		return &jsonschema.Schema{Type: "object"}
	}
	return nil
}

// referenced returns the definitions that a value refers to, directly or through others.
func referenced(value any, definitions object) object {
	found := object{}
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case object:
			if reference, ok := value["$ref"].(string); ok {
				name := definitionName(reference)
				if _, seen := found[name]; !seen {
					found[name] = definitions[name]
					walk(definitions[name])
				}
			}
			for _, each := range value {
				walk(each)
			}
		case []any:
			for _, each := range value {
				walk(each)
			}
		}
	}
	walk(value)
	return found
}

func read(file string) (object, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var value object
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return value, nil
}
