// Package image makes container images out of files, without a container engine and always the same
// from the same files.
package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Files is a tree of files that becomes an image's layer or a tar file. Paths have no leading slash.
// What is added later replaces what was there under the same path.
type Files struct{ entries map[string]entry }

type entry struct {
	header tar.Header
	open   func() (io.ReadCloser, error) // nil where there is no content
}

// NewFiles returns an empty tree.
func NewFiles() *Files { return &Files{entries: map[string]entry{}} }

func clean(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }

func (f *Files) put(e entry) {
	e.header.Name = clean(e.header.Name)
	// Times say when something was built, not what it is.
	e.header.ModTime, e.header.AccessTime, e.header.ChangeTime = time.Unix(0, 0), time.Time{}, time.Time{}
	f.entries[e.header.Name] = e
}

// Dir adds a directory. Parents that nobody adds are root's, with mode 0755.
func (f *Files) Dir(name string, mode fs.FileMode) {
	f.put(entry{header: tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: tarMode(mode)}})
}

// File adds a file of root's.
func (f *Files) File(name string, mode fs.FileMode, content string) {
	f.put(entry{
		header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: tarMode(mode), Size: int64(len(content))},
		open:   func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	})
}

// Copy adds a file of this machine's, which is read when the tree is written.
func (f *Files) Copy(name string, mode fs.FileMode, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	f.put(entry{
		header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: tarMode(mode), Size: info.Size()},
		open:   func() (io.ReadCloser, error) { return os.Open(from) },
	})
	return nil
}

// CopyDir adds the files below a directory of this machine's; mode says which mode each gets.
func (f *Files) CopyDir(name, from string, mode func(path string) fs.FileMode) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		target := path.Join(name, filepath.ToSlash(rel))
		return f.Copy(target, mode(target), p)
	})
}

// Symlink adds a symbolic link.
func (f *Files) Symlink(name, target string) {
	f.put(entry{header: tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}})
}

// Hardlink adds another name of a file of the tree.
func (f *Files) Hardlink(name, target string) {
	f.put(entry{header: tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: clean(target), Mode: 0o755}})
}

// Own gives a path of the tree to a user and a group.
func (f *Files) Own(name string, uid, gid int) error {
	e, ok := f.entries[clean(name)]
	if !ok {
		return fmt.Errorf("no %s to give to %d", name, uid)
	}
	e.header.Uid, e.header.Gid = uid, gid
	f.entries[clean(name)] = e
	return nil
}

// Remove takes out a path and all below it.
func (f *Files) Remove(name string) {
	name = clean(name)
	for p := range f.entries {
		if p == name || strings.HasPrefix(p, name+"/") {
			delete(f.entries, p)
		}
	}
}

// Move gives a directory another name, with all that is in it; what has that name already stays beside it.
func (f *Files) Move(from, to string) {
	moved := func(name string) string {
		if rest, ok := strings.CutPrefix(name, clean(from)+"/"); ok {
			return clean(to) + "/" + rest
		}
		return name
	}
	for name, e := range f.entries {
		if e.header.Typeflag == tar.TypeLink {
			e.header.Linkname = moved(e.header.Linkname)
			f.entries[name] = e
		}
		if there := moved(name); there != name {
			delete(f.entries, name)
			e.header.Name = there
			f.entries[there] = e
		}
	}
	if e, ok := f.entries[clean(from)]; ok && e.header.Typeflag == tar.TypeDir {
		delete(f.entries, clean(from))
	}
}

// Pick returns a tree of those of the paths that are in this one. A hard link brings what it names.
func (f *Files) Pick(paths ...string) *Files {
	picked := NewFiles()
	for _, p := range paths {
		e, ok := f.entries[clean(p)]
		if !ok {
			continue
		}
		picked.entries[clean(p)] = e
		if e.header.Typeflag == tar.TypeLink {
			picked.entries[e.header.Linkname] = f.entries[e.header.Linkname]
		}
	}
	return picked
}

// Merge adds all of another tree.
func (f *Files) Merge(other *Files) {
	for p, e := range other.entries {
		f.entries[p] = e
	}
}

// Renamed returns a tree of one path of this one, under another name.
func (f *Files) Renamed(from, to string) *Files {
	renamed := NewFiles()
	if e, ok := f.entries[clean(from)]; ok {
		e.header.Name = clean(to)
		renamed.entries[clean(to)] = e
	}
	return renamed
}

// Select returns the paths that are chosen, in order.
func (f *Files) Select(chosen func(path string) bool) []string {
	var paths []string
	for p := range f.entries {
		if chosen(p) {
			paths = append(paths, p)
		}
	}
	sort.Strings(paths)
	return paths
}

// Match returns the paths that match a pattern of path.Match, in order.
func (f *Files) Match(pattern string) []string {
	return f.Select(func(p string) bool {
		ok, _ := path.Match(pattern, p)
		return ok
	})
}

// Read returns the content of a file of the tree.
func (f *Files) Read(name string) (string, error) {
	e, ok := f.entries[clean(name)]
	if !ok || e.open == nil {
		return "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	r, err := e.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// Edit replaces a file's content by what edit makes of it. Nothing changed is an error: whoever
// edits another project's file wants to know when it no longer is what it was.
func (f *Files) Edit(name string, edit func(string) string) error {
	old, err := f.Read(name)
	if err != nil {
		return err
	}
	edited := edit(old)
	if edited == old {
		return fmt.Errorf("%s is not as expected: the edit changes nothing", name)
	}
	e := f.entries[clean(name)]
	mode := fs.FileMode(e.header.Mode & 0o7777)
	f.File(name, mode, edited)
	return nil
}

// AddTar adds what a tar file on this machine holds, but for what keep refuses. The file is read
// again when the tree is written. Devices are left out: a container engine makes its own.
func (f *Files) AddTar(file string, keep func(path string) bool) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		name := clean(h.Name)
		if name == "" || !keep(name) {
			continue
		}
		e := entry{header: *h}
		switch h.Typeflag {
		case tar.TypeReg:
			offset, err := in.Seek(0, io.SeekCurrent) // tar.Reader reads no further than the header
			if err != nil {
				return err
			}
			e.open = section(file, offset, h.Size)
		case tar.TypeLink:
			e.header.Linkname = clean(h.Linkname)
		case tar.TypeDir, tar.TypeSymlink:
		default:
			continue
		}
		f.put(e)
	}
}

func section(file string, offset, size int64) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		in, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(in, offset, size), in}, nil
	}
}

// WriteTar writes the tree, each directory before what is in it and each file before its hard links.
func (f *Files) WriteTar(w io.Writer) error {
	f.addParents()
	var names, links []string
	for name, e := range f.entries {
		if e.header.Typeflag == tar.TypeLink {
			links = append(links, name)
		} else {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	sort.Strings(links)
	t := tar.NewWriter(w)
	for _, name := range append(names, links...) {
		if err := f.entries[name].write(t); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return t.Close()
}

func (f *Files) addParents() {
	for name := range f.entries {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := f.entries[dir]; !ok {
				f.Dir(dir, 0o755)
			}
		}
	}
}

func (e entry) write(t *tar.Writer) error {
	h := e.header
	h.Format = tar.FormatUnknown // the writer chooses what the header's fields need
	h.Uname, h.Gname = "", ""
	if h.Typeflag == tar.TypeDir {
		h.Name += "/"
	}
	if err := t.WriteHeader(&h); err != nil {
		return err
	}
	if e.open == nil {
		return nil
	}
	r, err := e.open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(t, r)
	return err
}

func (f *Files) tar() ([]byte, error) {
	var b bytes.Buffer
	err := f.WriteTar(&b)
	return b.Bytes(), err
}

// tarMode gives Go's mode bits the places they have in Unix.
func tarMode(m fs.FileMode) int64 {
	mode := int64(m.Perm())
	if m&fs.ModeSetuid != 0 {
		mode |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		mode |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		mode |= 0o1000
	}
	return mode
}
