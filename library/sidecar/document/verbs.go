package document

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Verbs are the commands that read a document, each with a new value of its part's type.
var Verbs = map[string]func() any{
	"pgbouncer": func() any { return new(PgBouncer) },
	"token":     func() any { return new(Token) },
}

// Check reads a document as the one command does that it is for: it is how the chart's tests know that what the templates write
// is what the program reads.
func Check(text []byte) error {
	var parts map[string]jsontext.Value
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	for verb, part := range Verbs {
		if _, found := parts[verb]; found {
			return Read(text, verb, part())
		}
	}
	return fmt.Errorf("%s has the part of no command", Variable)
}
