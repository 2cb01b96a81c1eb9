// Package cache is the directory where what was built is kept between runs, the locks that keep two
// from building the same thing at once, and the keys that tell what a thing was made from.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"time"
)

// Dir returns the cache directory, which it creates: OUTRIGGER_CACHE, else outrigger in the user's
// cache directory as the XDG base directory specification has it.
func Dir() (string, error) {
	dir := os.Getenv("OUTRIGGER_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no place for a cache directory (set OUTRIGGER_CACHE): %w", err)
		}
		dir = filepath.Join(base, "outrigger")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// Lock takes the cluster of a cache directory for the caller, and says on out what it waits for when another has it. The
// caller calls unlock; the kernel does so for a process that died.
func Lock(ctx context.Context, dir string, out io.Writer) (unlock func(), err error) {
	said := false
	f, err := lock(ctx, filepath.Join(dir, "lock"), func(holder string) {
		if !said {
			fmt.Fprintf(out, "Waiting for another run (%s) to finish with the cluster of %s.\n", holder, dir)
			said = true
		}
	})
	if err != nil {
		return nil, err
	}
	return func() { f.Close() }, nil
}

// lock opens a file that nobody else, in this process or another, has until it is closed. It calls waits, with what the
// holder wrote into it, as long as somebody does. The holder may remove the file.
func lock(ctx context.Context, path string, waits func(holder string)) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && isAt(f, path) {
			_ = f.Truncate(0)
			_, _ = f.WriteAt(fmt.Appendf(nil, "process %d, %s\n", os.Getpid(), filepath.Base(os.Args[0])), 0)
			return f, nil
		}
		f.Close()
		if err == nil {
			continue // its last holder has removed it
		}
		if err != syscall.EWOULDBLOCK {
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		holder, _ := os.ReadFile(path)
		waits(strings.TrimSpace(string(holder)))
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// isAt tells whether an open file is the one at a path.
func isAt(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(opened, there)
}

// Key is what a thing is made from, boiled down to a name for it: equal inputs give equal keys.
type Key struct{ parts []string }

// Add adds inputs that are known by their text, such as a version.
func (k *Key) Add(texts ...string) *Key {
	for _, t := range texts {
		sum := sha256.Sum256([]byte(t))
		k.parts = append(k.parts, hex.EncodeToString(sum[:]))
	}
	return k
}

// AddFiles adds files by name and content.
func (k *Key) AddFiles(paths ...string) error {
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		k.Add(filepath.Base(p), string(b))
	}
	return nil
}

// AddSources adds the Go files of an embedded directory but for its tests.
func (k *Key) AddSources(sources fs.FS) error {
	names, err := fs.Glob(sources, "*.go")
	if err != nil {
		return err
	}
	sort.Strings(names)
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			continue
		}
		b, err := fs.ReadFile(sources, n)
		if err != nil {
			return err
		}
		k.Add(n, string(b))
	}
	return nil
}

// AddTree adds all files of a directory and of those below it.
func (k *Key) AddTree(tree fs.FS) error {
	return fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := fs.ReadFile(tree, path)
		k.Add(path, string(b))
		return err
	})
}

// String returns the key: 12 characters that suit a file name and an image tag.
func (k *Key) String() string {
	sum := sha256.Sum256([]byte(strings.Join(k.parts, "\n")))
	return hex.EncodeToString(sum[:])[:12]
}

// Make makes the file or directory at path, if it is not there, by calling build with a temporary
// path beside it that becomes path only when build succeeded. It tells whether it was there. Whoever
// makes the same at the same time, in this process or another, is waited for.
func Make(ctx context.Context, path string, build func(tmp string) error) (reused bool, err error) {
	if used(path) {
		return true, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	f, err := lock(ctx, path+".lock", func(string) {})
	if err != nil {
		return false, err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if used(path) {
		return true, nil
	}
	tmp := path + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return false, err
	}
	defer os.RemoveAll(tmp)
	if err := build(tmp); err != nil {
		return false, err
	}
	return false, os.Rename(tmp, path)
}

// used tells whether a path is there, and notes that it was used: Prune goes by that.
func used(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now)
	return true
}

// Prune removes all but the keep last used of the entries that match a pattern in dir. What is being made stays.
func Prune(dir, pattern string, keep int) {
	paths, _ := filepath.Glob(filepath.Join(dir, pattern))
	paths = slices.DeleteFunc(paths, func(p string) bool { return filepath.Ext(p) == ".tmp" || filepath.Ext(p) == ".lock" })
	lastUse := func(p string) time.Time {
		info, err := os.Stat(p)
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	sort.Slice(paths, func(i, j int) bool { return lastUse(paths[i]).After(lastUse(paths[j])) })
	for i, p := range paths {
		if i >= keep {
			os.RemoveAll(p)
		}
	}
}
