package engine

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// CapabilityNames are the kernel's capabilities in the order of their numbers (linux/capability.h), by
// the names that the OCI runtime specification uses.
var CapabilityNames = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
	"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// Bounding returns the names of the capabilities in a bounding set as /proc/PID/status gives it, in
// hexadecimal.
func Bounding(hex string) (map[string]bool, error) {
	bits, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
	if err != nil {
		return nil, fmt.Errorf("capability bounding set: %w", err)
	}
	set := map[string]bool{}
	for n, name := range CapabilityNames {
		if bits&(1<<n) != 0 {
			set[name] = true
		}
	}
	return set, nil
}

// OwnBounding returns this process's capability bounding set: what no child can ever exceed.
func OwnBounding() (map[string]bool, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		if hex, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			return Bounding(hex)
		}
	}
	return nil, fmt.Errorf("/proc/self/status has no CapBnd")
}

// lackingCapabilities returns the capabilities that the kernel knows and this process cannot have.
func lackingCapabilities() ([]string, error) {
	set, err := OwnBounding()
	if err != nil {
		return nil, err
	}
	last := len(CapabilityNames) - 1
	if b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			last = min(last, n)
		}
	}
	var lacking []string
	for _, name := range CapabilityNames[:last+1] {
		if !set[name] {
			lacking = append(lacking, name)
		}
	}
	return lacking, nil
}

// Lacks tells whether no process on this host can have a capability. What can't be found out is taken
// for present.
func Lacks(capability string) bool {
	set, err := OwnBounding()
	return err == nil && !set[capability]
}
