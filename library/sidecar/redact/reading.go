package redact

import (
	"encoding/hex"
	"iter"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// reading is a text as one of its encodings reads it, and of each byte where in the text it stands.
type reading struct {
	bytes  []byte
	places []place
}

// place is from its first byte to before the one after its last.
type place struct{ from, to int32 }

func (r *reading) add(at place, decoded ...byte) {
	for _, b := range decoded {
		r.bytes = append(r.bytes, b)
		r.places = append(r.places, at)
	}
}

// span is the place in the text of some bytes of a reading.
func (r reading) span(from, to int) place { return place{r.places[from].from, r.places[to-1].to} }

func asIs(text string) reading {
	r := reading{[]byte(text), make([]place, len(text))}
	for i := range r.places {
		r.places[i] = place{int32(i), int32(i) + 1}
	}
	return r
}

// plainReadings are those in which most of a text reads as itself.
func plainReadings(text reading) iter.Seq[reading] {
	return unescaped(text, jsonEscape, percentEscape, formEscape, whiteSpace)
}

// unescaped are a text's readings by any of some kinds of escapes, one after the other.
func unescaped(text reading, kinds ...escape) iter.Seq[reading] {
	return func(yield func(reading) bool) {
		if len(kinds) == 0 {
			yield(text)
			return
		}
		for r := range unescaped(text, kinds[1:]...) {
			if !yield(r) {
				return
			}
		}
		decoded, differs := text.decode(kinds[0])
		if !differs {
			return
		}
		for r := range unescaped(decoded, kinds[1:]...) {
			if !yield(r) {
				return
			}
		}
	}
}

// allReadings are the plain ones, and what base64 and hexadecimal digits in them read as, plainly too. Each is made when it is
// its turn: all of them at once are some hundred times the text.
func allReadings(text reading) iter.Seq[reading] {
	return func(yield func(reading) bool) {
		for outer := range plainReadings(text) {
			if !yield(outer) {
				return
			}
			for inner := range outer.numbers() {
				for r := range plainReadings(inner) {
					if !yield(r) {
						return
					}
				}
			}
		}
	}
}

// numbers reads each run of base64's digits from one of its first four on, and of hexadecimal ones from one of its first two.
func (r reading) numbers() iter.Seq[reading] {
	return func(yield func(reading) bool) {
		for phase := range 4 {
			if !yield(r.digits(phase, 6, base64Digit)) {
				return
			}
		}
		for phase := range 2 {
			if !yield(r.digits(phase, 4, hexadecimalDigit)) {
				return
			}
		}
	}
}

// escape tells what stands at the beginning of its argument, and how long that is; 0 is a byte as it is.
type escape func(rest []byte) (decoded []byte, length int)

// decode reads one kind of escapes, and tells whether there was any.
func (r reading) decode(first escape) (decoded reading, differs bool) {
	for i := 0; i < len(r.bytes); {
		bytes, length := first(r.bytes[i:])
		if length == 0 {
			bytes, length = r.bytes[i:i+1], 1
		} else {
			differs = true
		}
		decoded.add(r.span(i, i+length), bytes...)
		i += length
	}
	return decoded, differs
}

func whiteSpace(rest []byte) ([]byte, int) {
	if rest[0] == ' ' || '\t' <= rest[0] && rest[0] <= '\r' {
		return nil, 1
	}
	return nil, 0
}

func percentEscape(rest []byte) ([]byte, int) {
	if rest[0] != '%' || len(rest) < 3 {
		return nil, 0
	}
	decoded, err := hex.DecodeString(string(rest[1:3]))
	if err != nil {
		return nil, 0
	}
	return decoded, 3
}

func formEscape(rest []byte) ([]byte, int) {
	if rest[0] == '+' {
		return []byte{' '}, 1
	}
	return percentEscape(rest)
}

func jsonEscape(rest []byte) ([]byte, int) {
	if rest[0] != '\\' || len(rest) < 2 {
		return nil, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, rest[1]); i >= 0 {
		return []byte{"\"\\/\b\f\n\r\t"[i]}, 2
	}
	unit, ok := jsonUnit(rest)
	if !ok {
		return nil, 0
	}
	if low, ok := jsonUnit(rest[6:]); ok && utf16.IsSurrogate(unit) {
		if pair := utf16.DecodeRune(unit, low); pair != utf8.RuneError {
			return utf8.AppendRune(nil, pair), 12
		}
	}
	return utf8.AppendRune(nil, unit), 6
}

// jsonUnit reads \uXXXX.
func jsonUnit(rest []byte) (rune, bool) {
	if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
		return 0, false
	}
	decoded, err := hex.DecodeString(string(rest[2:6]))
	if err != nil {
		return 0, false
	}
	return rune(decoded[0])<<8 | rune(decoded[1]), true
}

// digits reads each run of digits from one of its first on. What is between two runs stays, so that their ends do not read as
// one.
func (r reading) digits(phase, bits int, value func(byte) (uint, bool)) reading {
	var decoded reading
	run, held, from := 0, 0, 0 // digits of this run; bits that make no byte yet, and the first digit that they are of
	var buffer uint
	for i, b := range r.bytes {
		digit, ok := value(b)
		if !ok {
			run, held = 0, 0
			decoded.add(r.span(i, i+1), b)
			continue
		}
		run++
		if run <= phase {
			continue
		}
		if held == 0 {
			from = i
		}
		buffer, held = buffer<<bits|digit, held+bits
		if held < 8 {
			continue
		}
		held -= 8
		decoded.add(r.span(from, i+1), byte(buffer>>held))
		buffer, from = buffer&(1<<held-1), i
	}
	return decoded
}

func base64Digit(b byte) (uint, bool) {
	switch {
	case 'A' <= b && b <= 'Z':
		return uint(b - 'A'), true
	case 'a' <= b && b <= 'z':
		return uint(b-'a') + 26, true
	case '0' <= b && b <= '9':
		return uint(b-'0') + 52, true
	case b == '+', b == '-':
		return 62, true
	case b == '/', b == '_':
		return 63, true
	}
	return 0, false
}

func hexadecimalDigit(b byte) (uint, bool) {
	switch {
	case '0' <= b && b <= '9':
		return uint(b - '0'), true
	case 'a' <= b && b <= 'f':
		return uint(b-'a') + 10, true
	case 'A' <= b && b <= 'F':
		return uint(b-'A') + 10, true
	}
	return 0, false
}
