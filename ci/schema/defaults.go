package main

import (
	"bytes"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// defaultValues returns a named template that prints the values of values.yaml, without its comments and what is empty there.
func defaultValues() ([]byte, error) {
	var chart struct {
		Annotations map[string]string `json:"annotations"`
	}
	var values object
	for file, into := range map[string]any{chartFile: &chart, valuesFile: &values} {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	for key, value := range values {
		if entries, is := value.(object); is && len(entries) == 0 {
			delete(values, key)
		}
	}
	printed, err := yaml.Marshal(values)
	if err != nil {
		return nil, err
	}
	var template bytes.Buffer
	fmt.Fprintf(&template, `{{- /*
The library's default values, for a chart that does not depend on it. Generated from values.yaml.
Takes: nothing
Prints: the values, as YAML
*/ -}}
{{- define "outrigger-%s.kit.defaultValues" -}}
%s{{- end -}}
`, chart.Annotations["outrigger/templates"], printed)
	return template.Bytes(), nil
}
