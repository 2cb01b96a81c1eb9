// Package install puts the programs of this image where a container of another image finds them: a volume that both have.
package install

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// Command is `outrigger install`.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   "install DIR",
		Short: "Copy outrigger and outrigger-probe into a directory",
		Long: "Copies outrigger and outrigger-probe from beside this program into a directory, where containers of other images run them.\n" +
			"Programs that are there already are replaced as a whole: one that runs goes on.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			return Into(args[0], filepath.Dir(self))
		},
	}
}

// Programs are what is copied.
var Programs = []string{"outrigger", "outrigger-probe"}

// Into copies the programs from one directory into another.
func Into(directory, from string) error {
	for _, name := range Programs {
		if err := copyProgram(filepath.Join(directory, name), filepath.Join(from, name)); err != nil {
			return fmt.Errorf("cannot install %s into %s: %w", name, directory, err)
		}
	}
	return nil
}

// copyProgram copies a file beside its place and renames it: nobody starts half a program, and a failure leaves nothing.
func copyProgram(to, from string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	copied, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer func() {
		_ = copied.Close()
		if err != nil {
			_ = os.Remove(copied.Name())
		}
	}()
	if _, err = io.Copy(copied, source); err != nil {
		return err
	}
	// For whatever user the other container has.
	if err = copied.Chmod(0o755); err != nil {
		return err
	}
	if err = copied.Close(); err != nil {
		return err
	}
	return os.Rename(copied.Name(), to)
}
