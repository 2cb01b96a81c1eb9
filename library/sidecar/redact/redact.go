// Package redact hides secrets in what commands and servers say, before it is logged.
package redact

import "slices"

// window is how many consecutive bytes of a secret are too many to show. A secret that is shorter is none: parts of words are
// like it.
const window = 8

// Most is how many bytes of secrets a text is searched for: at worst some 50 MB are allocated for that.
const Most = 64 << 10

// mask stands for what is hidden.
const mask = "***"

// Hide returns a text in which no eight consecutive bytes of a secret are to be seen: neither as they are, nor in base64 (of
// either alphabet, wherever in it the secret begins), hexadecimal digits, percent-encoding or JSON's escapes, or one of these
// within another, whatever white space is between. When in doubt it hides more: all of it where secrets have over Most bytes.
func Hide(text string, secrets ...string) string {
	switch {
	case text == "":
		return text
	case size(secrets) > Most:
		return mask
	}
	known := fragments(secrets)
	if len(known) == 0 {
		return text
	}
	// What stands on both sides of what was hidden may be of the secret too, and is side by side now.
	for {
		hidden := hideOnce(text, known)
		if hidden == text {
			return text
		}
		text = hidden
	}
}

func size(secrets []string) (total int) {
	for _, secret := range secrets {
		total += len(secret)
	}
	return total
}

type fragment [window]byte

// fragments are all fragments of secrets, as they are and as their escapes read: what a command prints may be JSON.
func fragments(secrets []string) map[fragment]struct{} {
	known := map[fragment]struct{}{}
	for _, secret := range secrets {
		for r := range plainReadings(asIs(secret)) {
			for i := 0; i+window <= len(r.bytes); i++ {
				known[fragment(r.bytes[i:])] = struct{}{}
			}
		}
	}
	return known
}

func hideOnce(text string, known map[fragment]struct{}) string {
	secret := make([]bool, len(text))
	for r := range allReadings(asIs(text)) {
		for i := 0; i+window <= len(r.bytes); i++ {
			if _, found := known[fragment(r.bytes[i:])]; found {
				from, to := r.places[i].from, r.places[i+window-1].to
				for at := from; at < to; at++ {
					secret[at] = true
				}
			}
		}
	}
	if !slices.Contains(secret, true) {
		return text
	}
	shown := make([]byte, 0, len(text))
	for i := range len(text) {
		switch {
		case !secret[i]:
			shown = append(shown, text[i])
		case i == 0 || !secret[i-1]:
			shown = append(shown, mask...)
		}
	}
	return string(shown)
}
