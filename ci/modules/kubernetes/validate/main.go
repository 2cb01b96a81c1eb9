// Command validate says what an API server would say of objects that are created: it decodes them strictly, gives them
// their defaults and validates them, by Kubernetes' own code. It reads objects, in JSON, one after the other, from standard
// input, and prints for each one line of JSON: {"error": TEXT, "warnings": [TEXT, …]}; an error that is empty means that the
// object would be created. Admission, such as Pod Security or quotas, is no part of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
)

// strategies are how a registry creates objects of a kind, each by its resource.
var strategies = map[string]struct {
	resource string
	rest.RESTCreateStrategy
}{
	"ConfigMap":   {"configmaps", configmap.Strategy},
	"CronJob":     {"cronjobs", cronjob.Strategy},
	"DaemonSet":   {"daemonsets", daemonset.Strategy},
	"Deployment":  {"deployments", deployment.Strategy},
	"Job":         {"jobs", job.Strategy},
	"Pod":         {"pods", pod.Strategy},
	"Secret":      {"secrets", secret.Strategy},
	"Service":     {"services", service.Strategy},
	"StatefulSet": {"statefulsets", statefulset.Strategy},
}

type verdict struct {
	Error    string   `json:"error"`
	Warnings []string `json:"warnings"`
}

// AddWarning keeps a warning; the other parameter is the agent that warns.
func (v *verdict) AddWarning(_, text string) { v.Warnings = append(v.Warnings, text) }

func main() {
	log.SetFlags(0)
	log.SetPrefix("validate: ")
	capabilities.Setup(true, 0) // as nearly every API server is told (--allow-privileged)
	decoder := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDecoder()
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var object json.RawMessage
		if err := in.Decode(&object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		v := &verdict{Warnings: []string{}}
		if err := v.create(decoder, object); err != nil {
			v.Error = err.Error()
		}
		if err := out.Encode(v); err != nil {
			log.Fatal(err)
		}
	}
}

// create does what an API server does with an object that is posted to it, but for admission and storage.
func (v *verdict) create(decoder runtime.Decoder, text []byte) error {
	object, kind, err := decoder.Decode(text, nil, nil)
	if err != nil {
		return err
	}
	strategy, known := strategies[kind.Kind]
	if !known {
		return fmt.Errorf("objects of the kind %s are not known here", kind.Kind)
	}
	meta, err := metaOf(object)
	if err != nil {
		return err
	}
	if meta.GetNamespace() == "" {
		meta.SetNamespace("default")
	}
	meta.SetUID(types.UID("00000000-0000-0000-0000-000000000000"))
	meta.SetCreationTimestamp(metav1.Time{Time: time.Unix(0, 0)})
	ctx := request.WithNamespace(context.Background(), meta.GetNamespace())
	ctx = request.WithRequestInfo(ctx, requestInfo(*kind, strategy.resource))
	ctx = warning.WithWarningRecorder(ctx, v)
	return rest.BeforeCreate(strategy, ctx, object)
}

func metaOf(object runtime.Object) (metav1.Object, error) {
	accessor, ok := object.(metav1.ObjectMetaAccessor)
	if !ok {
		return nil, fmt.Errorf("%T has no metadata", object)
	}
	return accessor.GetObjectMeta(), nil
}

func requestInfo(kind schema.GroupVersionKind, resource string) *request.RequestInfo {
	return &request.RequestInfo{
		IsResourceRequest: true, Verb: "create", APIGroup: kind.Group, APIVersion: kind.Version, Resource: resource,
	}
}
