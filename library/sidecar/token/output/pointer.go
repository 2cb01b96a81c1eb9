package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parse returns the one value of a JSON text. Of two members of one name the last counts, as everywhere.
func parse(text []byte) (jsontext.Value, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	value, err := decoder.ReadValue()
	if err != nil {
		return nil, malformed(err, len(text))
	}
	value = value.Clone()
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the output is no JSON: more after the end at byte %d", decoder.InputOffset())
	}
	return value, nil
}

// malformed says where a text is no JSON, and none of the text.
func malformed(err error, size int) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the output is no JSON: it ends too soon, after %d bytes", size)
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return fmt.Errorf("the output is no JSON: byte %d is wrong", syntactic.ByteOffset+1)
	}
	return errors.New("the output is no JSON")
}

// find returns the value at a pointer (RFC 6901), or nil where there is none, or null.
func find(value jsontext.Value, pointer string) jsontext.Value {
	for _, token := range strings.Split(pointer, "/")[1:] {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch value.Kind() {
		case '{':
			value = member(value, token)
		case '[':
			value = element(value, token)
		default:
			return nil
		}
	}
	if value.Kind() == 'n' {
		return nil
	}
	return value
}

// member is the last of a name in an object.
func member(object jsontext.Value, name string) (found jsontext.Value) {
	decoder := jsontext.NewDecoder(bytes.NewReader(object), jsontext.AllowDuplicateNames(true))
	_, _ = decoder.ReadToken()
	for decoder.PeekKind() == '"' {
		token, _ := decoder.ReadToken()
		isIt := token.String() == name
		value, _ := decoder.ReadValue()
		if isIt {
			found = value.Clone()
		}
	}
	return found
}

func element(array jsontext.Value, number string) jsontext.Value {
	wanted, err := strconv.Atoi(number)
	if err != nil || strconv.Itoa(wanted) != number {
		return nil
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(array), jsontext.AllowDuplicateNames(true))
	_, _ = decoder.ReadToken()
	for i := 0; decoder.PeekKind() != ']'; i++ {
		value, _ := decoder.ReadValue()
		if i == wanted {
			return value.Clone()
		}
	}
	return nil
}
