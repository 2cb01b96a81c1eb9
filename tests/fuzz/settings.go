package fuzz

import (
	"strings"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// settings are what a render depends on besides values.
func settings(c *choices) harness.Settings {
	given := harness.Settings{Namespace: "default"}
	if c.yes() {
		given.Release = of(c, "shop", "demo.v1", strings.Repeat("a-release", 5))
	}
	if c.yes() {
		given.Namespace = of(c, "edge", strings.Repeat("a-namespace", 5))
	}
	if c.yes() {
		given.KubeVersion = of(c, "v1.37.0", "v1.33.1+k3s1", "v1.28.5-gke.1")
	}
	if c.yes() {
		given.APIVersions = []string{of(c, "security.openshift.io/v1", "monitoring.coreos.com/v1")}
	}
	return given
}

// names sets the values by which charts name their objects.
func names(c *choices, all object) {
	c.maybe(all, "nameOverride", func() any {
		return of[any](c, "kiosk", "", nil, "{{ .Release.Name }}-kiosk", strings.Repeat("kiosk", 14), "demo", "Odd.")
	})
	c.maybe(all, "fullnameOverride", func() any {
		return of[any](c, "kiosk", "", nil, "{{ .Release.Name }}", strings.Repeat("kiosk-", 11), "a.kiosk", "Odd_Name")
	})
	c.maybe(all, "namespaceOverride", func() any { return of[any](c, "edge", "", nil, `{{ print "edge" }}`) })
}

// namespace is that of the chart's own objects: the call's, else the override's, else the release's.
func (in input) namespace() string {
	call, _ := in.values["call"].(object)
	if name, _ := call["namespace"].(string); name != "" {
		return name
	}
	if name, _ := in.values["namespaceOverride"].(string); name != "" {
		return "edge"
	}
	return in.settings.Namespace
}

// callArguments are those of the public names' calls, beside what each has to have.
func callArguments(c *choices, kind string) object {
	all := object{}
	c.maybe(all, "namespace", func() any { return of(c, "edge", "") })
	if kind == "made" {
		c.maybe(all, "name", func() any { return of(c, "chosen", "", strings.Repeat("chosen-", 12)+"x") })
	}
	if kind == "job" || kind == "made" {
		c.maybe(all, "hook", func() any { return of(c, "pre-install,pre-upgrade", "post-install") })
		c.maybe(all, "hookWeight", func() any { return of[any](c, -5, 0, "3") })
	}
	return all
}

func fileArguments(c *choices) object {
	all := object{}
	c.maybe(all, "workload", func() any { return of(c, "web", "other") })
	c.maybe(all, "hook", func() any { return c.yes() })
	return all
}

func facetArguments(c *choices) object {
	all := object{"workload": "web"}
	c.maybe(all, "container", func() any { return of(c, "app", "second") })
	c.maybe(all, "values", func() any { return true })
	return all
}

// defaults are those of all sidecars.
func defaults(c *choices) object {
	all := object{}
	c.maybe(all, "user", func() any {
		return of[any](c, "auto", "inherit", object{"uid": 1000, "gid": 0}, object{"uid": 0, "gid": 0}, nil)
	})
	c.maybe(all, "securityContext", func() any { return securityContext(c) })
	for _, of := range []string{"resources", "agentResources", "backupResources", "ambassadorResources", "tokenRefresherResources"} {
		c.maybe(all, of, func() any { return resources(c) })
	}
	c.maybe(all, "guaranteedLimits", func() any { return of(c, object{"cpu": "1", "memory": "1Gi"}, object{}, object{"cpu": nil}) })
	c.maybe(all, "tools", func() any { return of(c, "copy", "image") })
	c.maybe(all, "downwardAPI", func() any { return c.yes() })
	c.maybe(all, "shutdownSeconds", func() any {
		return object{of(c, "logshippers", "ambassadors", "backups", "containers"): of[any](c, 0, 77, nil)}
	})
	c.maybe(all, "job", func() any {
		return of(c, object{"backoffLimit": 0}, object{"ttlSecondsAfterFinished": 60}, object{"completionMode": "Indexed"}, object{})
	})
	c.maybe(all, "cronJob", func() any {
		return of(c, object{"suspend": true}, object{"timeZone": "Europe/Berlin"}, object{"schedule": "@daily"}, object{"concurrencyPolicy": nil})
	})
	return all
}

func images(c *choices) object {
	name := of(c, "busybox", "collector", "outrigger", "pgbouncer", "rclone", "restic")
	return object{name: of[any](c, "mirror:5000/"+name+":1", "{{ .Release.Name }}/"+name+":1", name, nil)}
}
