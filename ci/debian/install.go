// Package debian takes what it can from Debian's packages: programs on this machine, root file
// systems and single files for images.
package debian

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/outrigger-charts/outrigger/ci/proc"
)

// one keeps this program's steps, which run at the same time, from running apt-get at the same time.
var one struct {
	sync.Mutex
	updated bool
}

// Install installs packages on this machine with apt-get, which only root can.
func Install(ctx context.Context, log io.Writer, packages ...string) error {
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		names := strings.Join(packages, " ")
		return fmt.Errorf("%s: missing on this machine, and only root on Debian or Ubuntu gets it installed by this program. Install it with:\n  sudo apt-get install %s\nand run this again", names, names)
	}
	one.Lock()
	defer one.Unlock()
	apt := func(args ...string) error {
		// A lock that another apt holds is waited for, as on a machine that updates itself at boot.
		args = append([]string{"apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"}, args...)
		_, err := proc.Run(ctx, proc.Cmd{Args: args, Log: log, Env: []string{"DEBIAN_FRONTEND=noninteractive"}})
		return err
	}
	install := append([]string{"install", "-y", "--no-install-recommends"}, packages...)
	// A list of packages that can't be refreshed in part (somebody's broken extra source) may do.
	var updateErr error
	if !one.updated {
		updateErr = apt("update")
		one.updated = updateErr == nil
	}
	if err := apt(install...); err != nil {
		return errors.Join(err, updateErr)
	}
	return nil
}

// EnsureProgram installs the package that has a program, unless the program is there.
func EnsureProgram(ctx context.Context, log io.Writer, program, pkg string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}
	return Install(ctx, log, pkg)
}
