package document

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// firstMissing returns the JSON pointer of a key that a document has to have and has not: each field of the Go types that
// does not say omitempty or omitzero. No decoder tells one that is missing from one that is empty.
func firstMissing(text jsontext.Value, into any) string {
	return missingIn(text, reflect.TypeOf(into).Elem())
}

func missingIn(text jsontext.Value, of reflect.Type) string {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch of.Kind() {
	case reflect.Struct:
		return missingInObject(text, of)
	case reflect.Map:
		var members map[string]jsontext.Value
		if json.Unmarshal(text, &members) != nil {
			return ""
		}
		for name, value := range members {
			if missing := missingIn(value, of.Elem()); missing != "" {
				return "/" + name + missing
			}
		}
	case reflect.Slice:
		var elements []jsontext.Value
		if json.Unmarshal(text, &elements) != nil {
			return ""
		}
		for i, value := range elements {
			if missing := missingIn(value, of.Elem()); missing != "" {
				return fmt.Sprintf("/%d%s", i, missing)
			}
		}
	}
	return ""
}

func missingInObject(text jsontext.Value, of reflect.Type) string {
	var members map[string]jsontext.Value
	if json.Unmarshal(text, &members) != nil {
		return ""
	}
	for i := range of.NumField() {
		name, options, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		value, found := members[name]
		if !found {
			if !strings.Contains(options, "omit") {
				return "/" + name
			}
			continue
		}
		if missing := missingIn(value, of.Field(i).Type); missing != "" {
			return "/" + name + missing
		}
	}
	return ""
}
