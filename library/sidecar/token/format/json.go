package format

import (
	"github.com/go-json-experiment/json/jsontext"
)

// jsonObject writes an object of strings.
func jsonObject(texts Texts) ([]byte, error) {
	line := []byte("{")
	for _, text := range []namedText{{"username", texts.Username}, {"password", texts.Password}, {"expiresAt", texts.expiry()}} {
		if text.value == "" && text.name == "username" {
			continue
		}
		value, err := jsonString("json", text)
		if err != nil {
			return nil, err
		}
		if len(line) > 1 {
			line = append(line, ',')
		}
		line = append(append(line, `"`+text.name+`":`...), value...)
	}
	return append(line, "}\n"...), nil
}

func jsonString(format string, text namedText) (string, error) {
	quoted, err := jsontext.AppendQuote(nil, text.value)
	if err != nil {
		return "", cannot(format, "the %s is no UTF-8, which JSON is", text.name)
	}
	return string(quoted), nil
}
