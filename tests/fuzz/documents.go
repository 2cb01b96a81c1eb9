package fuzz

import (
	"fmt"
	"strings"
)

// documents are those of a file for outrigger.manifest, in a namespace, as objects or as they are written.
func documents(c *choices, namespace string) []any {
	var all []any
	for number := range 1 + c.number(3) {
		all = append(all, anyDocument(c, number, namespace))
	}
	return all
}

func anyDocument(c *choices, number int, namespace string) any {
	kind := []string{"Deployment", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "List", "text"}[c.random.IntN(9)]
	switch kind {
	case "text":
		name := fmt.Sprint("settings-", number)
		return of(c, "# nothing here", "", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "+name+"}\ndata: {containers: \"{{ .Values.x }}\", n: \"12345678901234567890\"}",
			"apiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: "+name+"}\r\ndata:\r\n  containers: |\r\n    a: b", "containers: [a: b: c",
			"apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: shop}\nspec: {template: {spec: {containers: "+of(c, "[]", "{}", "text", "[{name: app, image: app}]")+"}}}")
	case "List":
		items := []any{}
		for item := range c.number(3) {
			items = append(items, workload(c, "Deployment", 10*(number+1)+item, namespace))
		}
		return object{"apiVersion": "v1", "kind": "List", "items": items}
	}
	return workload(c, kind, number, namespace)
}

// workload is an object with a pod.
func workload(c *choices, kind string, number int, namespace string) object {
	metadata := object{"name": of(c, "web", "demo-shop", "demo-shop-web", "demo", "kiosk-web", strings.Repeat("long-", 7)+"web") + fmt.Sprint("-", number), "namespace": namespace}
	c.maybe(metadata, "labels", func() any { return object{"app": "web"} })
	c.maybe(metadata, "annotations", func() any {
		return of(c, object{"helm.sh/hook": "pre-install,pre-upgrade", "helm.sh/hook-weight": of[any](c, "3", "-1")}, object{"a": "b"})
	})
	pod := podTemplate(c, kind == "Job" || kind == "CronJob")
	spec := object{"template": pod}
	selector := object{"matchLabels": object{"app": "web"}}
	version := "apps/v1"
	switch kind {
	case "Deployment", "DaemonSet":
		spec["selector"] = selector
	case "StatefulSet":
		spec["selector"], spec["serviceName"] = selector, "web"
		c.maybe(spec, "volumeClaimTemplates", func() any {
			return []any{object{"metadata": object{"name": of(c, "claim", "v")}, "spec": object{"accessModes": []any{"ReadWriteOnce"}, "resources": object{"requests": object{"storage": "1Gi"}}}}}
		})
	case "Job":
		version = "batch/v1"
	case "CronJob":
		version, spec = "batch/v1", object{"schedule": of(c, "17 3 * * *", "@daily"), "jobTemplate": object{"spec": spec}}
	case "Pod":
		metadata["labels"], version, spec = object{"app": "web"}, "v1", pod["spec"].(object)
	}
	return object{"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
}
