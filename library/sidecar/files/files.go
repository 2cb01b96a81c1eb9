// Package files replaces files as a whole.
package files

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// newPrefix begins, and newSuffix ends, the name of a file that is to replace another; digits stand between them.
func newPrefix(path string) string {
	return ".outrigger-" + strings.TrimPrefix(filepath.Base(path), ".outrigger-") + "-"
}

const newSuffix = ".new"

// Replace puts a file in place of another as a whole: whoever reads sees one of the two. The new one has its mode before it
// has any content, and a failure leaves nothing beside it. Nothing is synchronised with a disk: what is written so stands in
// memory or an emptyDir, where nobody reads it after the crash of a node.
func Replace(path string, content []byte, mode fs.FileMode) error {
	return ReplaceFrom(path, bytes.NewReader(content), mode)
}

// ReplaceFrom is Replace with a content that need not fit into memory.
func ReplaceFrom(path string, content io.Reader, mode fs.FileMode) error {
	return ReplaceStepwise(path, content, mode, func(string) {})
}

// ReplaceStepwise is ReplaceFrom, and tells of each step when it was made: created, allowed (its mode is set), filled, closed,
// renamed. A test that panics then leaves what SIGKILL would.
func ReplaceStepwise(path string, content io.Reader, mode fs.FileMode, made func(step string)) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), newPrefix(path)+"*"+newSuffix)
	if err != nil {
		return err
	}
	defer func() {
		_ = file.Close()
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	for _, step := range []struct {
		name string
		make func() error
	}{
		{"created", func() error { return nil }},
		{"allowed", func() error { return file.Chmod(mode) }},
		{"filled", func() error { _, err := io.Copy(file, content); return err }},
		{"closed", file.Close},
		{"renamed", func() error { return os.Rename(file.Name(), path) }},
	} {
		if err = step.make(); err != nil {
			return err
		}
		made(step.name)
	}
	return nil
}

// Sweep removes what a Replace of this path has left beside it that was killed. The path must be this program's alone.
func Sweep(path string) {
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, entry := range entries {
		number, isNew := strings.CutPrefix(entry.Name(), newPrefix(path))
		number, isWhole := strings.CutSuffix(number, newSuffix)
		if isNew && isWhole && strings.Trim(number, "0123456789") == "" {
			_ = os.Remove(filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
}
