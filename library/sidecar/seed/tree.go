package seed

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// inode names a file whatever its path is.
type inode struct{ device, number uint64 }

// tree copies a tree of files, and knows what it has copied.
type tree struct {
	from, to string
	copied   map[inode]string // of files with several names: the first
	opened   []directory
}

// directory is one whose mode and times are set when all is in it.
type directory struct {
	path string
	info fs.FileInfo
}

// copyTree copies a directory and all that is below it to a path where nothing is.
func copyTree(from, to string) error {
	t := &tree{from: from, to: to, copied: map[inode]string{}}
	if err := filepath.WalkDir(from, t.copy); err != nil {
		return err
	}
	// Not the top: what is in it is moved out of it.
	for i := len(t.opened) - 1; i > 0; i-- {
		d := t.opened[i]
		if err := complete(d.path, d.info); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) copy(path string, entry fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	relative, err := filepath.Rel(t.from, path)
	if err != nil {
		return err
	}
	target := filepath.Join(t.to, relative)
	// Stat for the top, which may be a link to the directory.
	info, err := os.Lstat(path)
	if path == t.from {
		info, err = os.Stat(path)
	}
	if err != nil {
		return err
	}
	status := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() && status.Nlink > 1 {
		id := inode{uint64(status.Dev), status.Ino} //nolint:unconvert // on some architectures it is another type
		if first, found := t.copied[id]; found {
			return os.Link(first, target)
		}
		t.copied[id] = target
	}
	switch {
	case info.IsDir():
		t.opened = append(t.opened, directory{target, info})
		return os.Mkdir(target, 0o700)
	case info.Mode().IsRegular():
		if err := copyFile(target, path); err != nil {
			return err
		}
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := os.Readlink(path)
		if err != nil {
			return err
		}
		if err := os.Symlink(link, target); err != nil {
			return err
		}
	default:
		if err := unix.Mknod(target, status.Mode, int(status.Rdev)); err != nil { //nolint:unconvert // see above
			return &fs.PathError{Op: "mknod", Path: target, Err: err}
		}
	}
	return complete(target, info)
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}

// complete gives a copy the owner, the mode and the times of what it is a copy of. Who is not root cannot give files away, and
// need not.
func complete(path string, info fs.FileInfo) error {
	status := info.Sys().(*syscall.Stat_t)
	if os.Getuid() == 0 {
		if err := os.Lchown(path, int(status.Uid), int(status.Gid)); err != nil {
			return err
		}
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		if err := unix.Chmod(path, status.Mode&0o7777); err != nil {
			return &fs.PathError{Op: "chmod", Path: path, Err: err}
		}
	}
	times := []unix.Timespec{
		{Sec: status.Atim.Sec, Nsec: status.Atim.Nsec},
		{Sec: status.Mtim.Sec, Nsec: status.Mtim.Nsec},
	}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimes", Path: path, Err: err}
	}
	return nil
}
