// Package install puts the programs of this image where a container of another image finds them: a volume that both have.
package install

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/outrigger-charts/outrigger/library/sidecar/files"
)

// Command is `outrigger install`.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   "install DIR",
		Short: "Copy outrigger and outrigger-probe into a directory",
		Long: `Copies outrigger and outrigger-probe from beside this program into a directory, where containers of other images run them.
Programs that are there already are replaced as a whole: one that runs goes on.

Exit codes: 0 both are there; 1 one could not be copied.`,
		Example: `  mkdir /tmp/tools
  outrigger install /tmp/tools`,
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

// Into copies the programs from one directory into another: each as a whole.
func Into(directory, from string) error {
	for _, name := range Programs {
		if err := copyProgram(filepath.Join(directory, name), filepath.Join(from, name)); err != nil {
			return fmt.Errorf("cannot install %s into %s: %w", name, directory, err)
		}
	}
	return nil
}

// copyProgram makes a copy that whatever user the other container has may run.
func copyProgram(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	return files.ReplaceFrom(to, source, 0o755)
}
