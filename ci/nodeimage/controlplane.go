package nodeimage

import (
	"context"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/busybox"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/proc"
)

// imageNames are the references by which a cluster looks for its own images, by their last element
// without the tag.
type imageNames map[string]string

// imageNames asks kubeadm and kind's sources for the names. It also returns Kubernetes' version.
func (b Builder) imageNames(ctx context.Context, parts *built) (imageNames, string, error) {
	_, version, err := b.Tools.Node()
	if err != nil {
		return nil, "", err
	}
	kubeadm := filepath.Join(parts.programs, "kubeadm")
	list, err := proc.Output(ctx, kubeadm, "config", "images", "list", "--kubernetes-version", version)
	if err != nil {
		return nil, "", err
	}
	names := imageNames{}
	add := func(ref string) {
		name, _, _ := strings.Cut(path.Base(ref), ":")
		names[name] = ref
	}
	for _, ref := range strings.Fields(list) {
		add(ref)
	}
	kind, err := b.kindDir(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, constant := range []string{"storageProvisionerImage", "storageHelperImage"} {
		ref, err := storageConstant(kind, constant)
		if err != nil {
			return nil, "", err
		}
		add(ref)
	}
	return names, version, nil
}

// controlPlane are the images that a cluster consists of, each with its one program and what that
// calls.
func (b Builder) controlPlane(ctx context.Context, parts *built, names imageNames) ([]image.Spec, error) {
	proxy, err := proxyFiles(parts.rootFS)
	if err != nil {
		return nil, err
	}
	helper, err := busybox.Files(ctx, parts.busybox)
	if err != nil {
		return nil, err
	}
	from := func(program string) string { return filepath.Join(parts.programs, program) }
	images := []struct {
		name, program, at string
		files             *image.Files
	}{
		{"kube-apiserver", from("kube-apiserver"), "usr/local/bin/kube-apiserver", nil},
		{"kube-controller-manager", from("kube-controller-manager"), "usr/local/bin/kube-controller-manager", nil},
		{"kube-scheduler", from("kube-scheduler"), "usr/local/bin/kube-scheduler", nil},
		{"kube-proxy", from("kube-proxy"), "usr/local/bin/kube-proxy", proxy},
		{"etcd", from("etcd"), "usr/local/bin/etcd", nil},
		{"coredns", from("coredns"), "coredns", nil},
		{"pause", parts.pause, "pause", nil},
		{"local-path-provisioner", filepath.Join(parts.localPath, "local-path-provisioner"), "usr/local/bin/local-path-provisioner", nil},
		{"local-path-helper", "", "", helper},
	}
	var specs []image.Spec
	for _, i := range images {
		ref, ok := names[i.name]
		if !ok {
			return nil, fmt.Errorf("nobody says by which name the cluster looks for %s", i.name)
		}
		spec := image.Spec{Ref: ref, Files: i.files, Config: v1.Config{Env: []string{searchPath}}}
		if spec.Files == nil {
			spec.Files = image.NewFiles()
		}
		if i.program != "" {
			if err := spec.Files.Copy(i.at, 0o755, i.program); err != nil {
				return nil, err
			}
			spec.Config.Entrypoint = []string{"/" + i.at}
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// proxyFiles is iptables, which kube-proxy calls, with the libraries it needs. It is the variant over
// nf_tables: the other one's rules, if the node uses it, count as well.
func proxyFiles(rootFS string) (*image.Files, error) {
	all := image.NewFiles()
	if err := all.AddTar(rootFS, func(string) bool { return true }); err != nil {
		return nil, err
	}
	files, err := debian.Subset(all, "iptables")
	if err != nil {
		return nil, err
	}
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, verb := range []string{"", "-save", "-restore"} {
			files.Symlink("usr/sbin/"+family+verb, "xtables-nft-multi")
		}
	}
	return files, nil
}

// storageManifest is the default storage class of kind's own node images, word for word.
func storageManifest(kindDir string) (string, error) {
	return storageConstant(kindDir, "defaultStorageManifest")
}

// storageConstant returns the value of a string constant in that source file of kind's which holds
// what its node images install for storage; nothing else of kind tells it.
func storageConstant(kindDir, name string) (string, error) {
	file := filepath.Join(kindDir, "pkg/build/nodeimage/const_storage.go")
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		return "", err
	}
	pkg, err := new(types.Config).Check("nodeimage", set, []*ast.File{syntax}, nil)
	if err != nil {
		return "", err
	}
	c, ok := pkg.Scope().Lookup(name).(*types.Const)
	if !ok {
		return "", fmt.Errorf("%s has no constant %s", file, name)
	}
	return constant.StringVal(c.Val()), nil
}
