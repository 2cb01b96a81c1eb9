package tools

import (
	"fmt"
	"path"
	"strings"
)

// own is how the packages below ci/modules begin.
const own = "github.com/outrigger-charts/outrigger/ci/modules/"

// kubernetesVersion is the linker flags without which Kubernetes' programs call themselves v0.0.0 and
// kubeadm refuses to work with them.
func (b Builder) kubernetesVersion() ([]string, error) {
	version, err := b.Version("kubernetes", "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	major, minor, err := majorMinor(version)
	if err != nil {
		return nil, err
	}
	var flags []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X "+pkg+".gitVersion="+version,
			"-X "+pkg+".gitMajor="+major,
			"-X "+pkg+".gitMinor="+minor,
			"-X "+pkg+".gitTreeState=clean",
		)
	}
	return flags, nil
}

func majorMinor(version string) (major, minor string, err error) {
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) != 3 {
		return "", "", fmt.Errorf("%q is no version", version)
	}
	return parts[0], parts[1], nil
}

// kubernetesTags are those of Kubernetes' own releases, and those by which kind builds containerd: none of these
// snapshotters is used.
const kubernetesTags = "selinux,notest,grpcnotrace,no_aufs,no_zfs,no_btrfs,no_devmapper"

// Node is what a node is made of, and Kubernetes' version.
func (b Builder) Node() (Module, string, error) {
	flags, err := b.kubernetesVersion()
	if err != nil {
		return Module{}, "", err
	}
	version, err := b.Version("kubernetes", "k8s.io/kubernetes")
	if err != nil {
		return Module{}, "", err
	}
	const containerd = "github.com/containerd/containerd/v2"
	containerdVersion, err := b.Version("kubernetes", containerd)
	programs := map[string]string{
		"coredns": own + "kubernetes/coredns",
		"etcd":    "go.etcd.io/etcd/server/v3",
	}
	for _, p := range []string{
		"kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubeadm", "kubectl",
	} {
		programs[p] = "k8s.io/kubernetes/cmd/" + p
	}
	for _, p := range []string{"containerd", "containerd-shim-runc-v2", "ctr"} {
		programs[p] = containerd + "/cmd/" + p
	}
	for _, p := range []string{"ipam/host-local", "main/loopback", "main/ptp", "meta/portmap"} {
		programs[path.Base(p)] = "github.com/containernetworking/plugins/plugins/" + p
	}
	return Module{
		Name:     "kubernetes",
		Programs: programs,
		LDFlags:  append(flags, "-X "+containerd+"/version.Version="+containerdVersion),
		Tags:     kubernetesTags,
		InAHurry: true,
	}, version, err
}

// LocalPath provisions the volumes of a node's default storage class. It is built by itself: it imports logrus by another
// name than containerd does.
func LocalPath() Module {
	return Module{
		Name:     "local-path-provisioner",
		Folder:   "kubernetes",
		Programs: map[string]string{"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
		Tags:     kubernetesTags,
		InAHurry: true,
	}
}

// Kubectl is the same kubectl alone, for where the rest of Kubernetes is not built.
func (b Builder) Kubectl() (Module, error) {
	flags, err := b.kubernetesVersion()
	return Module{
		Name:     "kubectl",
		Folder:   "kubernetes",
		Programs: map[string]string{"kubectl": "k8s.io/kubernetes/cmd/kubectl"},
		LDFlags:  flags,
		Tags:     kubernetesTags,
		InAHurry: true,
	}, err
}

// Expand prints containers with the references to variables expanded as the kubelet does it.
func Expand() Module { return ofKubernetes("expand") }

// Env prints what the kubelet reads of files of variables.
func Env() Module { return ofKubernetes("env") }

// Validate says what an API server would say of objects.
func Validate() Module { return ofKubernetes("validate") }

// ofKubernetes is a program in a folder of its own that calls Kubernetes' code. With a node's tags what it has in common with
// the node's programs is compiled once.
func ofKubernetes(program string) Module {
	return Module{
		Name: program, Folder: "kubernetes", Tags: kubernetesTags,
		Programs: map[string]string{program: own + "kubernetes/" + program},
	}
}

// Helm is helm as its release is built: without these flags it says that it is v3.0 or so, and that
// the cluster a chart is rendered for is Kubernetes v1.20.
func (b Builder) Helm() (Module, error) {
	version, err := b.Version("helm", "helm.sh/helm/v3")
	if err != nil {
		return Module{}, err
	}
	client, err := b.Version("helm", "k8s.io/client-go")
	if err != nil {
		return Module{}, err
	}
	_, minor, err := majorMinor(client)
	return Module{
		Name:     "helm",
		Programs: map[string]string{"helm": "helm.sh/helm/v3/cmd/helm"},
		LDFlags: []string{
			"-X helm.sh/helm/v3/internal/version.version=" + version,
			"-X helm.sh/helm/v3/internal/version.gitTreeState=clean",
			"-X helm.sh/helm/v3/internal/version.metadata=",
			// client-go v0.X is made for Kubernetes v1.X; helm's own Makefile derives it so too.
			"-X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1",
			"-X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=" + minor,
			"-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
			"-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=" + minor,
		},
	}, err
}

// Staticcheck is a linter of Go code.
func Staticcheck() Module {
	return Module{Name: "staticcheck", Programs: map[string]string{"staticcheck": "honnef.co/go/tools/cmd/staticcheck"}}
}

// ChartTesting is ct, the linter of chart repositories.
func ChartTesting() Module {
	return Module{Name: "chart-testing", Programs: map[string]string{"ct": "github.com/helm/chart-testing/v3/ct"}}
}

// Collector is the OpenTelemetry Collector with those components of upstream's otelcol-k8s that its
// builder.yaml names. Of Prometheus' service discoveries it has files, HTTP and Kubernetes alone:
// upstream's others, of clouds, would make the program a third larger.
func Collector() Module {
	return Module{
		Name:     "collector",
		Programs: map[string]string{"otelcol-k8s": own + "collector"},
		Tags:     "grpcnotrace,remove_all_sd",
	}
}

// Loki is Grafana's log store.
func Loki() Module {
	return Module{Name: "loki", Programs: map[string]string{"loki": "github.com/grafana/loki/v3/cmd/loki"}}
}

// Rclone is rclone with those backends and commands that the module's main.go names. Without the flag it calls itself
// a development version.
func Rclone() Module {
	return Module{
		Name:     "rclone",
		Programs: map[string]string{"rclone": own + "rclone"},
		LDFlags:  []string{"-X github.com/rclone/rclone/fs.VersionSuffix="},
	}
}

// Restic is a backup program.
func Restic() Module {
	return Module{Name: "restic", Programs: map[string]string{"restic": "github.com/restic/restic/cmd/restic"}}
}

// VersityGW is an S3 server that keeps objects as files. It knows its version by a linker flag alone.
func VersityGW(version string) Module {
	return Module{
		Name:     "versitygw",
		Programs: map[string]string{"versitygw": "github.com/versity/versitygw/cmd/versitygw"},
		LDFlags:  []string{"-X main.Version=v" + version},
	}
}
