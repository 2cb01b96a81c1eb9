package pgbouncer

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

// credential is what was read of the file whose passwords are taken up.
type credential struct {
	users []byte      // as pgbouncer reads them
	sum   string      // of the file
	mode  fs.FileMode // of the file
}

// source is the file whose passwords are taken up: a refresher's, or one with the password alone.
type source struct {
	path string
	user string      // whose password it is, where it is the password alone
	last fs.FileInfo // of what was read last
}

func newSource(config document.PgBouncer) *source {
	if config.PasswordFile != "" {
		return &source{path: config.PasswordFile, user: config.User}
	}
	return &source{path: config.AuthFile}
}

// next returns what the file has where it is another than the one that was returned last; nil where it is the same, or
// where there is none. It follows links, as a Secret's volume is replaced by one.
func (s *source) next() (*credential, error) {
	info, err := os.Stat(s.path)
	if err != nil || s.isLast(info) {
		return nil, nil
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil, s.unreadable(err)
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, s.unreadable(err)
	}
	if s.last, err = file.Stat(); err != nil {
		return nil, s.unreadable(err)
	}
	found := &credential{users: content, sum: proof.Sum(content), mode: s.last.Mode().Perm()}
	if s.user != "" {
		// The end of a line is the file's and not the password's.
		found.users = usersFile(s.user, strings.TrimRight(string(content), "\n"))
	}
	return found, nil
}

func (s *source) isLast(info fs.FileInfo) bool {
	return s.last != nil && os.SameFile(s.last, info) &&
		s.last.ModTime().Equal(info.ModTime()) && s.last.Size() == info.Size()
}

func (s *source) unreadable(err error) error {
	return fmt.Errorf("%s cannot be read by the user %d: %w", s.path, os.Getuid(), err)
}
