package fuzz

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// served are the groups that every API server serves; other objects, such as a PodMonitor, are their operators' to check.
var served = regexp.MustCompile(`^(v1|apps/v1|batch/v1)$`)

// expanded is what no text of a pattern's may become: a reference to mark, and "pa$$word", are texts as they are written.
var expanded = regexp.MustCompile(`the mark|pa\$word`)

// pod is that of an object.
type pod struct {
	corev1.PodSpec
	namespace string
}

// requireWhole fails unless an API server accepts each of a release's documents, no two of them are one object, what the library's
// volumes name is there, and the kubelet starts containers with the texts that are written in the values.
func (o oracles) requireWhole(t *testing.T, settings harness.Settings, documents [][]byte, about string) {
	t.Helper()
	there := map[string]bool{}
	var pods []pod
	for _, written := range documents {
		var object map[string]any
		require.NoError(t, yaml.UnmarshalStrict(written, &object), "%s\n%s", written, about)
		for _, object := range items(object) {
			var verdict struct{ Error string }
			if version, _ := object["apiVersion"].(string); served.MatchString(version) {
				o.validate.ask(t, object, &verdict)
				require.Empty(t, verdict.Error, "%s\n%s", written, about)
			}
			made := metav1.PartialObjectMetadata{}
			convert(t, object, &made)
			if made.Namespace == "" {
				made.Namespace = settings.Namespace
			}
			name := fmt.Sprintf("%s %s/%s", made.Kind, made.Namespace, made.Name)
			require.False(t, there[name], "%s is there twice\n%s", name, about)
			there[name] = true
			if spec := podSpec(object); spec != nil && served.MatchString(made.APIVersion) {
				pods = append(pods, pod{namespace: made.Namespace})
				convert(t, spec, &pods[len(pods)-1].PodSpec)
			}
		}
	}
	for _, pod := range pods {
		for _, volume := range pod.Volumes {
			if volume.ConfigMap != nil && strings.Contains(volume.ConfigMap.Name, "outrigger") {
				require.Contains(t, there, fmt.Sprintf("ConfigMap %s/%s", pod.namespace, volume.ConfigMap.Name), about)
			}
		}
		o.requireTexts(t, append(pod.InitContainers, pod.Containers...), about)
	}
}

// requireTexts fails unless containers are started with the texts that are written in the values.
func (o oracles) requireTexts(t *testing.T, containers []corev1.Container, about string) {
	t.Helper()
	var started []corev1.Container
	o.expand.ask(t, containers, &started)
	for index, container := range started {
		for _, words := range [][]string{container.Command, container.Args} {
			for _, word := range words {
				require.NotRegexp(t, expanded, word, about)
			}
		}
		for number, variable := range container.Env {
			if variable.Name == document.Variable {
				// Nothing in it expands, though the container may have a variable of each name.
				require.Equal(t, strings.ReplaceAll(containers[index].Env[number].Value, "$$", "$"), variable.Value, about)
				harness.RequireDocument(t, variable.Value)
			}
			if variable.Name != mark {
				require.NotRegexp(t, expanded, variable.Value, about)
			}
		}
	}
}

// items are the objects of a List, or the one that it is.
func items(object map[string]any) []map[string]any {
	inner, isList := object["items"].([]any)
	if !isList || object["kind"] != "List" {
		return []map[string]any{object}
	}
	var all []map[string]any
	for _, item := range inner {
		all = append(all, item.(map[string]any))
	}
	return all
}

// podSpec is the spec of an object's pod, or nil.
func podSpec(of map[string]any) any {
	if of["kind"] == "Pod" {
		return of["spec"]
	}
	for _, path := range [][]string{{"spec", "template", "spec"}, {"spec", "jobTemplate", "spec", "template", "spec"}} {
		if spec, found, _ := unstructured.NestedMap(of, path...); found {
			return spec
		}
	}
	return nil
}

// convert reads a value as another type.
func convert(t *testing.T, from, into any) {
	t.Helper()
	text, err := json.Marshal(from)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into))
}
