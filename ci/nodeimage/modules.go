package nodeimage

import "github.com/outrigger-charts/outrigger/ci/tools"

// moduleNames are the modules a node is built of, by the dependency whose version is theirs.
var moduleNames = map[string]string{
	"kubernetes": "k8s.io/kubernetes",
	"containerd": "github.com/containerd/containerd/v2",
	"cni":        "github.com/containernetworking/plugins",
	"coredns":    "github.com/coredns/coredns",
	"etcd":       "go.etcd.io/etcd/server/v3",
	"localpath":  "github.com/rancher/local-path-provisioner",
}

// modules returns what is compiled, Kubernetes first.
func (b Builder) modules() ([]tools.Module, error) {
	kubernetes, _, err := b.Tools.Kubernetes()
	if err != nil {
		return nil, err
	}
	containerd, err := b.containerd()
	if err != nil {
		return nil, err
	}
	plugins := moduleNames["cni"] + "/plugins/"
	one := func(module, program, pkg string) tools.Module {
		return tools.Module{Name: module, Programs: map[string]string{program: pkg}}
	}
	return []tools.Module{
		kubernetes,
		containerd,
		{Name: "cni", Programs: map[string]string{
			"host-local": plugins + "ipam/host-local",
			"loopback":   plugins + "main/loopback",
			"ptp":        plugins + "main/ptp",
			"portmap":    plugins + "meta/portmap",
		}},
		one("etcd", "etcd", moduleNames["etcd"]),
		one("coredns", "coredns", moduleNames["coredns"]),
		one("localpath", "local-path-provisioner", moduleNames["localpath"]),
	}, nil
}

func (b Builder) containerd() (tools.Module, error) {
	pkg := moduleNames["containerd"]
	version, err := b.Tools.Version("containerd", pkg)
	return tools.Module{
		Name: "containerd",
		Programs: map[string]string{
			"containerd":              pkg + "/cmd/containerd",
			"containerd-shim-runc-v2": pkg + "/cmd/containerd-shim-runc-v2",
			"ctr":                     pkg + "/cmd/ctr",
		},
		LDFlags: []string{"-X " + pkg + "/version.Version=" + version},
		// As kind builds it: none of these snapshotters is used.
		Tags: "no_aufs,no_zfs,no_btrfs,no_devmapper",
	}, err
}
