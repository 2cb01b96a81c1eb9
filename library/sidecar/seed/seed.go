// Package seed copies what a directory of an image holds into a volume that will be mounted over it, once.
package seed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/outrigger-charts/outrigger/library/sidecar/event"
)

// Command is `outrigger seed`.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   "seed FROM TO",
		Short: "Copy what a directory of the image holds into an empty volume, once",
		Long: `Copies a directory's contents into a volume that is empty: modes, links and times stay, and owners where the user may
give files away. A volume that has contents is not touched. A copy that was cut short is taken up again. Which it was is told in
a line of JSON on standard output.

Exit codes: 0 the volume has contents; 1 they could not be copied.`,
		Example: `  mkdir /tmp/image /tmp/volume
  echo hello >/tmp/image/index.html
  outrigger seed /tmp/image /tmp/volume`,
		Args: cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			done, err := Copy(args[0], args[1])
			if err != nil {
				return err
			}
			log := event.New(command.OutOrStdout(), "seed", args[0])
			if done {
				log.Info("the volume has what the image has", event.Is("volume.seeded"))
			} else {
				log.Info("the volume has contents already", event.Is("volume.kept"))
			}
			return nil
		},
	}
}

// Where a copy is made, beside its place; complete is there once all of it is.
const (
	workName     = ".outrigger-seed"
	filesName    = "files"
	completeName = "complete"
)

// Copy copies the contents of one directory into another, and tells whether it did: not where that has contents, besides a
// file system's lost+found. The copy is made beside its place and moved there entry by entry.
func Copy(from, to string) (done bool, err error) {
	if info, err := os.Stat(from); err != nil || !info.IsDir() {
		return false, fmt.Errorf("the image has no directory %s; set seed: false on the volume, or correct its mountPath", from)
	}
	work := filepath.Join(to, workName)
	if _, err := os.Lstat(work); errors.Is(err, fs.ErrNotExist) {
		taken, err := hasContents(to)
		if err != nil || taken {
			return false, err
		}
		if err := os.Mkdir(work, 0o700); err != nil {
			return false, fmt.Errorf("cannot write to the volume as uid %d: give the pod an fsGroup, or the app's user the volume: %w", os.Getuid(), err)
		}
	}
	files, complete := filepath.Join(work, filesName), filepath.Join(work, completeName)
	if _, err := os.Lstat(complete); err != nil {
		if err := copyAnew(from, files); err != nil {
			return false, errors.Join(err, removeAll(work))
		}
		if err := os.WriteFile(complete, nil, 0o600); err != nil {
			return false, err
		}
	}
	if err := moveAll(files, to); err != nil {
		return false, err
	}
	return true, removeAll(work)
}

func hasContents(directory string) (bool, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return false, fmt.Errorf("cannot read the volume as uid %d: %w", os.Getuid(), err)
	}
	for _, entry := range entries {
		if entry.Name() != "lost+found" {
			return true, nil
		}
	}
	return false, nil
}

func copyAnew(from, to string) error {
	if err := removeAll(to); err != nil {
		return err
	}
	if err := copyTree(from, to); err != nil {
		return fmt.Errorf("cannot copy all of %s as uid %d: %w", from, os.Getuid(), err)
	}
	return nil
}

// moveAll moves a directory's entries into another.
func moveAll(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := move(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// move renames a path. Of a directory that is an entry in it too, its parent, for which its owner has to have the right to write.
func move(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	locked := info.IsDir() && info.Mode()&0o200 == 0
	if locked {
		if err := os.Chmod(from, 0o700); err != nil {
			return err
		}
	}
	if err := os.Rename(from, to); err != nil || !locked {
		return err
	}
	return os.Chmod(to, info.Mode()&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky))
}

// removeAll removes a tree, also one with directories that its owner may not write to.
func removeAll(path string) error {
	_ = filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(path)
}
