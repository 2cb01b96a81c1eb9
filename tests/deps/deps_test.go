package deps

import (
	_ "github.com/google/go-containerregistry/pkg/v1/tarball"
	_ "github.com/gruntwork-io/terratest/modules/helm"
	_ "github.com/gruntwork-io/terratest/modules/k8s"
	_ "github.com/stretchr/testify/require"
	_ "helm.sh/helm/v3/pkg/action"
	_ "helm.sh/helm/v3/pkg/engine"
	_ "k8s.io/api/apps/v1"
	_ "k8s.io/apimachinery/pkg/apis/meta/v1"
	_ "k8s.io/client-go/kubernetes"
	_ "sigs.k8s.io/kind/pkg/cluster"
	_ "sigs.k8s.io/yaml"
)
