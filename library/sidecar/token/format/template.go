package format

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

// part is a piece of a template: a text as it is, or one that is replaced.
type part func(Texts) (string, error)

// placeholder is ${name}, ${name|filter} or ${name:filter}, which mean the same; $${ is ${.
var placeholder = regexp.MustCompile(`\$\$\{|\$\{[^}]*\}?`)

// replaced are the texts that a template may have.
var replaced = map[string]func(Texts) string{
	"username":  func(t Texts) string { return t.Username },
	"password":  func(t Texts) string { return t.Password },
	"expiresAt": Texts.expiry,
	"host":      func(t Texts) string { return t.Host },
	"port":      func(t Texts) string { return t.Port },
	"database":  func(t Texts) string { return t.Database },
}

// filters say how a text is written: with every byte of it percent-encoded that means something in a URL; in quotes of JSON's, or
// of sh's.
var filters = map[string]func(namedText) (string, error){
	"url":  func(text namedText) (string, error) { return percentEncoded(text.value), nil },
	"json": func(text namedText) (string, error) { return jsonString("template", text) },
	"sh": func(text namedText) (string, error) {
		return "'" + strings.ReplaceAll(text.value, "'", `'\''`) + "'", nil
	},
	"base64": func(text namedText) (string, error) {
		return base64.StdEncoding.EncodeToString([]byte(text.value)), nil
	},
}

// parse makes a format of a template.
func parse(template string) (Format, error) {
	if template == "" {
		return nil, fmt.Errorf("the format template needs a template")
	}
	var parts []part
	from := 0
	for _, at := range placeholder.FindAllStringIndex(template, -1) {
		parts = append(parts, literal(template[from:at[0]]))
		found, err := parsePlaceholder(template[at[0]:at[1]])
		if err != nil {
			return nil, err
		}
		parts = append(parts, found)
		from = at[1]
	}
	parts = append(parts, literal(template[from:]))
	return func(texts Texts) ([]byte, error) {
		var written []byte
		for _, part := range parts {
			text, err := part(texts)
			if err != nil {
				return nil, err
			}
			written = append(written, text...)
		}
		return written, nil
	}, nil
}

func literal(text string) part { return func(Texts) (string, error) { return text, nil } }

func parsePlaceholder(text string) (part, error) {
	if text == "$${" {
		return literal("${"), nil
	}
	name, closed := strings.CutSuffix(text[2:], "}")
	filter, filtered := "", false
	if i := strings.IndexAny(name, "|:"); i >= 0 {
		name, filter, filtered = name[:i], name[i+1:], true
	}
	value, known := replaced[name]
	if !known || !closed {
		return nil, fmt.Errorf("the template has %s, and there are ${username}, ${password}, ${expiresAt}, ${host}, ${port} and ${database}", text)
	}
	if !filtered {
		return func(texts Texts) (string, error) { return value(texts), nil }, nil
	}
	write, known := filters[filter]
	if !known {
		return nil, fmt.Errorf("the template has %s, and there are the filters url, json, sh and base64", text)
	}
	return func(texts Texts) (string, error) { return write(namedText{name, value(texts)}) }, nil
}

// percentEncoded leaves only what RFC 3986 calls unreserved.
func percentEncoded(text string) string {
	var encoded strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("._~-", c) >= 0:
			encoded.WriteByte(c)
		default:
			fmt.Fprintf(&encoded, "%%%02X", c)
		}
	}
	return encoded.String()
}
