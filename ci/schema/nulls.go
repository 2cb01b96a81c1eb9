package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// withNulls returns a schema, with its definitions, in which null may stand for each key that may be left out: that is how a
// user of Helm takes away what the chart's author wrote. A key that is required, and an item of a list, are what they were.
func withNulls(schema object) (object, error) {
	text, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	var plain object // of encoding/json's own types alone
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	definitions := plain["definitions"].(object)
	n := nulls{elsewhere: map[string]bool{}, definitions: object{}}
	n.find(plain, true)
	result := n.within(plain).(object)
	for name, definition := range definitions {
		n.definitions[name] = n.within(definition)
	}
	for len(n.wanted) > 0 {
		name := n.wanted[0]
		n.wanted = n.wanted[1:]
		made := n.nullable(n.within(definitions[name]))
		if n.elsewhere[name] {
			name += orNull
		}
		n.definitions[name] = made
	}
	result["definitions"] = n.definitions
	return result, nil
}

// orNull ends the name of a definition that may be null where it is referred to by a key that may be left out, and may not
// elsewhere.
const orNull = "OrNull"

type nulls struct {
	elsewhere   map[string]bool // definitions that are referred to where null may not stand
	wanted, had []string        // definitions that may be null where it may, still to be made and all
	definitions object
}

// find fills elsewhere. optional tells whether null may stand for what the schema describes, or whether nothing refers to it.
func (n *nulls) find(schema any, optional bool) {
	s, is := schema.(object)
	if !is {
		return
	}
	if reference, is := s["$ref"].(string); is && !optional {
		n.elsewhere[definitionName(reference)] = true
	}
	for name, property := range objectAt(s, "properties") {
		n.find(property, !isRequired(s, name))
	}
	for _, key := range []string{"patternProperties", "definitions"} {
		for _, each := range objectAt(s, key) {
			n.find(each, true)
		}
	}
	n.find(s["additionalProperties"], true)
	n.find(s["items"], false)
	for _, key := range []string{"then", "else"} {
		n.find(s[key], optional)
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		for _, each := range listAt(s, key) {
			n.find(each, optional)
		}
	}
}

// within returns a schema in which null may stand for keys of what it describes.
func (n *nulls) within(schema any) any {
	s, is := schema.(object)
	if !is {
		return schema
	}
	s = maps.Clone(s)
	delete(s, "definitions")
	if properties, is := s["properties"].(object); is {
		properties = maps.Clone(properties)
		for name, property := range properties {
			properties[name] = n.within(property)
			if !isRequired(s, name) {
				properties[name] = n.nullable(properties[name])
			}
		}
		s["properties"] = properties
	} else if required := listAt(s, "required"); len(required) > 0 {
		// One of several ways to say something: one that null has taken away is none.
		given := object{}
		for _, name := range required {
			given[name.(string)] = object{"not": object{"type": "null"}}
		}
		s["properties"] = given
	}
	if patterns, is := s["patternProperties"].(object); is {
		patterns = maps.Clone(patterns)
		for pattern, property := range patterns {
			patterns[pattern] = n.nullable(n.within(property))
		}
		s["patternProperties"] = patterns
	}
	if each, is := s["additionalProperties"].(object); is {
		s["additionalProperties"] = n.nullable(n.within(each))
	}
	for _, key := range []string{"items", "then", "else"} {
		if each, is := s[key]; is {
			s[key] = n.within(each)
		}
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		if each, is := s[key].([]any); is {
			each = slices.Clone(each)
			for index := range each {
				each[index] = n.within(each[index])
			}
			s[key] = each
		}
	}
	return s
}

// nullable returns a schema that takes null too. Its messages are those that it had, where it has to say more than a type.
func (n *nulls) nullable(schema any) any {
	s, is := schema.(object)
	if !is || len(s) == 0 {
		return schema
	}
	s = maps.Clone(s)
	if reference, is := s["$ref"].(string); is {
		name := definitionName(reference)
		if !slices.Contains(n.had, name) {
			n.had = append(n.had, name)
			n.wanted = append(n.wanted, name)
		}
		if n.elsewhere[name] {
			s["$ref"] = reference + orNull
		}
		return s
	}
	alternatives := ""
	for _, key := range []string{"oneOf", "anyOf"} {
		if s[key] != nil {
			alternatives = key
		}
	}
	_, hasElse := s["else"]
	switch {
	case s["type"] != nil && alternatives == "" && !hasElse && s["const"] == nil:
		types, is := s["type"].([]any)
		if !is {
			types = []any{s["type"]}
		}
		s["type"] = withNull(types, "null")
		if values, is := s["enum"].([]any); is {
			s["enum"] = withNull(values, nil)
		}
	case s["enum"] != nil:
		s["enum"] = withNull(s["enum"].([]any), nil)
	case hasElse && s["type"] == nil && objectAt(s, "if")["type"] == "null":
	case hasElse && s["type"] == nil:
		s["else"] = n.nullable(s["else"])
	case alternatives != "" && s["type"] == nil:
		if !slices.ContainsFunc(listAt(s, alternatives), func(each any) bool { return each.(object)["type"] == "null" }) {
			s[alternatives] = append(slices.Clone(listAt(s, alternatives)), object{"type": "null"})
		}
	default:
		wrapped := object{"if": object{"type": "null"}, "else": s}
		if description, is := s["description"]; is {
			wrapped["description"] = description
			delete(s, "description")
		}
		return wrapped
	}
	return s
}

func withNull(values []any, null any) []any {
	if slices.Contains(values, null) {
		return values
	}
	return append(slices.Clone(values), null)
}

func isRequired(schema object, name string) bool {
	return slices.Contains(listAt(schema, "required"), any(name))
}

func definitionName(reference string) string { return strings.TrimPrefix(reference, "#/definitions/") }

func objectAt(schema object, key string) object {
	found, _ := schema[key].(object)
	return found
}

func listAt(schema object, key string) []any {
	found, _ := schema[key].([]any)
	return found
}
