// Package fuzz renders charts with values that nobody would write, and asks the API server what it thinks of the result.
package fuzz

import (
	"crypto/sha256"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// choices are decisions at random, always the same for the same bytes of the fuzzer's; without bytes every decision is the
// first, which is the plain one.
type choices struct {
	random *rand.Rand
	plain  float64 // the share of decisions that are the first: where all is odd, little is rendered
}

func newChoices(bytes []byte) *choices {
	random := rand.New(rand.NewChaCha8(sha256.Sum256(bytes)))
	if len(bytes) == 0 {
		return &choices{random, 1}
	}
	return &choices{random, []float64{0.9, 0.8, 0.6, 0}[random.IntN(4)]}
}

func (c *choices) number(n int) int {
	if c.random.Float64() < c.plain {
		return 0
	}
	return c.random.IntN(n)
}

// yes is no for the most part where decisions are plain, as each key is one more that can be refused.
func (c *choices) yes() bool { return c.random.Float64() < (1-c.plain)/2+0.05 && c.plain < 1 }

func of[T any](c *choices, options ...T) T { return options[c.number(len(options))] }

type object = map[string]any

// maybe sets a key in half of all cases, and rarely where decisions are plain.
func (c *choices) maybe(target object, key string, value func() any) {
	if c.yes() {
		target[key] = value()
	}
}

// often sets a key in a third of all cases.
func (c *choices) often(target object, key string, value func() any) {
	if c.random.IntN(3) == 0 && c.plain < 1 {
		target[key] = value()
	}
}

// input is what a render depends on.
type input struct {
	values   object
	settings harness.Settings
	broken   bool // what the author wrote himself is at fault, so that an API server may refuse it
}

// newInput returns values for the consumer: valid ones, and ones at fault in the ways that the library checks.
func newInput(c *choices) input {
	library := object{}
	c.maybe(library, "mode", func() any { return of(c, "auto", "classic", "native") })
	c.maybe(library, "kubeVersion", func() any { return of(c, "1.36.0", "v1.29.3-eks-abc", "1.28.0") })
	c.maybe(library, "shutdownSeconds", func() any { return of(c, 0, 30, 300) })
	c.maybe(library, "shareProcessNamespace", func() any { return c.yes() })
	c.maybe(library, "workloads", func() any { return object{"web": object{"shutdownSeconds": 5, "env": variables(c)}} })
	c.maybe(library, "env", func() any {
		env := variables(c)
		c.maybe(env, "sidecars", func() any { return variables(c) })
		return env
	})
	c.maybe(library, "defaults", func() any { return defaults(c) })
	c.maybe(library, "images", func() any { return images(c) })
	c.often(library, "volumes", func() any { return entries(c, volume, "v", "w", "own", "Bad") })
	c.often(library, "containers", func() any { return entries(c, container, "a", "b", "app", "z", "Bad_", "x.y") })
	c.often(library, "logshippers", func() any { return entries(c, logshipper, "ship", "a", "other") })
	c.often(library, "tokenRefreshers", func() any { return entries(c, tokenRefresher, "token", "a", "db") })
	c.often(library, "ambassadors", func() any { return entries(c, ambassador, "proxy", "a", "token") })
	c.often(library, "backups", func() any { return entries(c, backup, "nightly", "a", "Bad") })
	c.often(library, "custom", func() any {
		return object{of(c, "greeter", "greeter", "greeter", "greeter", "missing"): entries(c, greeter, "hello", "a")}
	})
	c.maybe(library, "cluster", func() any { return of(c, "eu", "eu-1", "eu_1.a", "eu west") })

	in := input{values: object{"outrigger": library}, settings: settings(c)}
	names(c, in.values)
	c.maybe(in.values, "notes", func() any { return true })
	kind := []string{"pod", "job", "made", "documents", "facets"}[c.random.IntN(5)]
	switch kind {
	case "documents":
		in.values["call"] = callArguments(c, kind)
		in.values[kind] = documents(c, in.namespace())
		in.values["file"] = fileArguments(c)
	case "facets":
		in.values[kind] = facetArguments(c)
	case "made":
		c.maybe(library, "jobs", func() any { return object{of(c, "process", "other"): made(false)(c)} })
		library["cronJobs"] = object{of(c, "report", "report", "nightly"): made(true)(c)}
		fallthrough
	default:
		in.values[kind] = podTemplate(c, kind != "pod")
		in.values["call"] = callArguments(c, kind)
		if in.broken = c.number(12) == 1; in.broken {
			breakOne(c, in.values[kind].(object)["spec"].(object))
		}
	}
	if c.number(8) == 1 {
		removeOne(c, library)
	}
	c.maybe(in.values, "global", func() any {
		return object{"imageRegistry": of(c, "", "mirror:5000/"), "imagePullSecrets": []any{of[any](c, "pull", object{"name": "pull"})}}
	})
	return in
}

// removeOne sets one key, at any depth, to null, as a user does to take away what the chart's author wrote.
func removeOne(c *choices, from object) {
	keys := slices.Sorted(maps.Keys(from))
	if len(keys) == 0 {
		return
	}
	key := keys[c.number(len(keys))]
	if below, deeper := from[key].(object); deeper && len(below) > 0 && c.number(4) != 1 {
		removeOne(c, below)
		return
	}
	from[key] = nil
}

// breakOne gives one field, at any depth, a value of another kind, as a slip of its author's does.
func breakOne(c *choices, from object) {
	keys := slices.Sorted(maps.Keys(from))
	key := keys[c.random.IntN(len(keys))]
	below, deeper := from[key].(object)
	if list, isList := from[key].([]any); isList {
		item := c.random.IntN(len(list))
		if below, deeper = list[item].(object); !deeper || c.number(5) == 1 {
			list[item] = ofAnotherKind(c)
			return
		}
	}
	if deeper && len(below) > 0 && c.number(4) != 1 {
		breakOne(c, below)
		return
	}
	from[key] = ofAnotherKind(c)
}

func ofAnotherKind(c *choices) any {
	return []any{nil, "text", false, true, 7, 0.5, "", []any{}, []any{"text"}, []any{nil}, object{}, object{"a": "b"}, object{"name": 1}}[c.random.IntN(13)]
}

// variables returns variables by name: ones that a container has too, or that refer to others, and one that is the library's own.
func variables(c *choices) object {
	all := object{of(c, "LEVEL", "A", "POD_NAME", "OUTRIGGER_FORM", mark): of[any](c, "info", "$(A)", "{{ .Release.Name }}", 1, true, nil)}
	if _, marked := all[mark]; marked {
		all[mark] = "the mark"
	}
	c.maybe(all, "KEY", func() any { return object{"valueFrom": object{"secretKeyRef": object{"name": "s", "key": "k"}}} })
	return all
}

func greeter(c *choices) object {
	config := object{"greeting": of(c, "hello", "$(A)", "a'b\"c", "two\nlines")}
	c.maybe(config, "resources", func() any { return resources(c) })
	c.maybe(config, "env", func() any { return environment(c) })
	c.maybe(config, "image", func() any { return of(c, "other:1", "other") })
	return config
}

func entries(c *choices, entry func(*choices) object, names ...string) object {
	all := object{}
	for range 1 + c.number(3) {
		config := entry(c)
		c.maybe(config, "enabled", func() any { return of(c, true, false) })
		c.maybe(config, "order", func() any { return of(c, 0, 5, -7, 100000) })
		c.maybe(config, "workloads", func() any { return []any{of(c, "web", "once", "demo-shop-web", "process")} })
		all[of(c, names...)] = config
	}
	return all
}

func podTemplate(c *choices, ends bool) object {
	app := object{"name": "app", "image": "app:1"}
	c.maybe(app, "ports", func() any { return []any{object{"name": "http", "containerPort": 8080}} })
	c.maybe(app, "env", func() any { return []any{object{"name": "A", "value": "1"}} })
	c.maybe(app, "volumeMounts", func() any { return []any{object{"name": "own", "mountPath": "/own"}} })
	c.maybe(app, "securityContext", func() any { return securityContext(c) })
	c.maybe(app, "resources", func() any { return resources(c) })
	spec := object{"containers": []any{app}, "volumes": []any{object{"name": "own", "emptyDir": object{}}}}
	if c.yes() {
		spec["containers"] = []any{app, object{"name": "second", "image": "app:1", "volumeMounts": []any{object{"name": "own", "mountPath": "/logs"}}}}
	}
	c.maybe(spec, "initContainers", func() any { return []any{object{"name": "migrate", "image": "m:1"}} })
	c.maybe(spec, "terminationGracePeriodSeconds", func() any { return of(c, 0, 10, 400) })
	c.maybe(spec, "securityContext", func() any { return object{"runAsUser": of(c, 0, 1000), "fsGroup": 1000} })
	if ends {
		spec["restartPolicy"] = of(c, "Never", "OnFailure")
	}
	return object{"metadata": object{"labels": object{"app": "web"}}, "spec": spec}
}

func volume(c *choices) object {
	config := object{"mountPath": of(c, "/logs", "/logs/sub", "/dev/shm", "/own", "/v/")}
	switch c.number(5) {
	case 1:
		config["size"] = of[any](c, "1Mi", 1000, "0.5Gi", "none")
	case 2:
		config["medium"] = "Memory"
	case 3:
		config["persistentVolumeClaim"] = object{"claimName": "data"}
	case 4:
		config["configMap"] = object{"name": "settings", "optional": true}
	}
	c.maybe(config, "readOnly", func() any { return c.yes() })
	c.maybe(config, "subPath", func() any { return "sub" })
	c.maybe(config, "seed", func() any { return true })
	c.maybe(config, "containers", func() any {
		return of[any](c, []any{"app"}, []any{"second"}, object{"app": object{"mountPath": "/elsewhere"}}, object{"app": nil})
	})
	return config
}

func tokenRefresher(c *choices) object {
	file := object{}
	if c.number(20) != 1 {
		file["path"] = of(c, "/tokens/users.txt", "/own/token", "/logs/sub/token", "/tokens/$(X)/{{ .Release.Name }}", "/run/outrigger/token")
	}
	if c.number(20) != 1 {
		file["format"] = of(c, "pgbouncer", "pgpass", "env", "json", "raw", "template")
	}
	if file["format"] == "template" || c.number(20) == 1 {
		file["template"] = of(c, "${password:url}", "$(A)\n'\"${nothing}", "{{ .Release.Name }}=${password}")
	}
	c.maybe(file, "mode", func() any { return of(c, "0640", "777", "0400", "0999") })
	c.maybe(file, "user", func() any { return of(c, "shop", "{{ .Release.Name }}") })
	c.maybe(file, "port", func() any { return of[any](c, 5432, "*", "5432") })
	c.maybe(file, "containers", func() any { return of(c, []any{}, []any{"app"}, []any{"second"}, []any{"missing"}) })
	config := object{"file": file}
	for range 1 + c.number(20)/19 {
		provider := []string{"awsDsql", "awsRds", "exec", "vault", "googleCloudSql", "azureDatabase"}[c.random.IntN(6)]
		config[provider] = map[string]func(*choices) object{"awsDsql": awsDSQL, "awsRds": awsRDS, "exec": printing, "vault": vault, "googleCloudSql": cloudDatabase, "azureDatabase": cloudDatabase}[provider](c)
	}
	c.maybe(config, "ttl", func() any { return of(c, "15m", "1h30m", "0s", "1w", "15") })
	c.maybe(config, "retry", func() any { return object{"delay": of(c, "1s", "0s"), "maxDelay": of(c, "1m", "1w")} })
	c.maybe(config, "notify", func() any {
		return of(c, object{"signal": object{"process": "nginx"}}, object{"http": object{"url": "http://127.0.0.1/reload", "method": "GET"}}, object{"exec": object{"command": of[any](c, "echo $(A)", []any{"tell", "$(A)"})}}, object{})
	})
	c.maybe(config, "readinessProbe", func() any { return object{"periodSeconds": of(c, 1, 60), "enabled": c.yes()} })
	c.maybe(config, "metrics", func() any { return metrics(c) })
	c.maybe(config, "trust", func() any {
		return of(c, object{}, object{"secret": object{"name": "ca", "key": "a"}}, object{"configMap": object{"name": "ca", "key": "{{ .Release.Name }}"}})
	})
	c.maybe(config, "volumes", func() any {
		return []any{object{"name": of(c, "mine", "own", "outrigger-token-token"), "emptyDir": object{}}}
	})
	c.maybe(config, "volumeMounts", func() any {
		return []any{object{"name": of(c, "mine", "own", "missing"), "mountPath": of(c, "/mine", "/tokens", "/run/outrigger")}}
	})
	c.maybe(config, "env", func() any { return environment(c) })
	c.maybe(config, "resources", func() any { return resources(c) })
	c.maybe(config, "securityContext", func() any { return securityContext(c) })
	c.maybe(config, "afterInit", func() any { return c.yes() })
	return config
}

func metrics(c *choices) object {
	config := object{"port": of(c, 9402, 8080)}
	for _, key := range []string{"annotations", "podMonitor", "alerts"} {
		c.maybe(config, key, func() any { return c.yes() })
	}
	return config
}

func awsDSQL(c *choices) object {
	config := object{"host": of(c, "abc.dsql.eu-west-1.on.aws", "$(A)")}
	c.maybe(config, "user", func() any { return "admin" })
	c.maybe(config, "secret", func() any { return "aws" })
	return config
}

func awsRDS(c *choices) object {
	config := object{"host": "shop.abc.eu-west-1.rds.amazonaws.com"}
	if c.number(20) != 1 {
		config["user"] = of(c, "shop", "$(A)")
	}
	c.maybe(config, "region", func() any { return of(c, "eu-west-1", "eu-west-2") })
	c.maybe(config, "port", func() any { return of(c, 5432, 0) })
	c.maybe(config, "secret", func() any { return "aws" })
	return config
}

func printing(c *choices) object {
	config := object{}
	if c.number(20) != 1 {
		config["image"] = of(c, "tool:1", "tool")
	}
	if c.number(20) != 1 {
		config["command"] = of(c, []any{"print-token", "$(A)"}, []any{})
	}
	c.maybe(config, "output", func() any { return of(c, "raw", "json") })
	c.maybe(config, "pointers", func() any { return object{"password": "/a/b", "username": "/c", "ttl": "/d"} })
	c.maybe(config, "timeout", func() any { return "10s" })
	c.maybe(config, "explain", func() any { return of[any](c, "say $(A)", []any{"say"}) })
	c.maybe(config, "user", func() any { return "shop" })
	c.maybe(config, "host", func() any { return "db" })
	return config
}

func vault(c *choices) object {
	config := cloudDatabase(c)
	delete(config, "user")
	config["address"] = "https://vault:8200"
	c.maybe(config, "path", func() any { return "database/creds/shop" })
	c.maybe(config, "role", func() any { return "shop" })
	c.maybe(config, "appRole", func() any { return object{"secret": "approle"} })
	c.maybe(config, "tokenSecret", func() any { return of[any](c, "vault", object{"name": "vault", "key": "t"}) })
	c.maybe(config, "engine", func() any { return of(c, "kv", "database") })
	return config
}

func cloudDatabase(c *choices) object {
	config := object{}
	c.maybe(config, "user", func() any { return "shop" })
	c.maybe(config, "host", func() any { return "db" })
	c.maybe(config, "port", func() any { return 5433 })
	return config
}

func ambassador(c *choices) object {
	settings := object{}
	switch c.random.IntN(4) {
	case 1, 0:
		settings["secret"] = of[any](c, "db", object{"name": "db", "key": "pass"}, object{"key": "pass"})
		settings["user"] = "shop"
	case 2:
		settings["secret"], settings["tokenRefresher"] = "db", "token"
	default:
		settings["tokenRefresher"] = of(c, "token", "a", "missing")
	}
	if c.number(10) != 1 {
		settings["host"] = of(c, "db", "it's", "db", "a\nb")
	}
	if c.number(20) != 1 {
		settings["database"] = of(c, "shop", "{{ .Release.Name }}", "shop", "a b")
	}
	c.maybe(settings, "databases", func() any {
		return object{of(c, "shop", "reports", "pgbouncer"): of[any](c, object{}, nil, object{"host": "other", "poolMode": "session", "poolSize": 2})}
	})
	c.maybe(settings, "listenPort", func() any { return of(c, 6432, 8080, 80) })
	c.maybe(settings, "listen", func() any { return of(c, "tcp", "socket") })
	c.maybe(settings, "metrics", func() any {
		of := metrics(c)
		delete(of, "alerts")
		return of
	})
	c.maybe(settings, "poolMode", func() any { return of(c, "session", "transaction") })
	c.maybe(settings, "maxClientConn", func() any { return of(c, 1, 1000000) })
	c.maybe(settings, "tls", func() any {
		return of(c, object{}, object{"mode": "disable"}, object{"ca": object{}}, object{"ca": object{"configMap": object{"name": "ca", "key": "ca.pem"}}}, object{"ca": object{"secret": object{"name": "ca", "key": "ca.pem"}}})
	})
	c.maybe(settings, "settings", func() any {
		return object{of(c, "server_lifetime", "auth_type", "pool_mode", "server_check_query"): of[any](c, 1e6, 0.5, true, nil, "a\nb")}
	})
	config := object{}
	if c.number(20) != 1 {
		config["pgbouncer"] = settings
	}
	c.maybe(config, "shutdownSeconds", func() any { return of(c, 0, 5) })
	c.maybe(config, "env", func() any { return environment(c) })
	c.maybe(config, "securityContext", func() any { return securityContext(c) })
	return config
}

func container(c *choices) object {
	config := object{}
	if c.number(20) != 1 {
		config["image"] = of(c, "h:1", "registry:5000/a/h:1", "h@sha256:"+digest, "h")
	}
	c.maybe(config, "kind", func() any { return of(c, "sidecar", "init") })
	c.maybe(config, "afterInit", func() any { return c.yes() })
	c.maybe(config, "downwardAPI", func() any { return c.yes() })
	c.maybe(config, "shutdownSeconds", func() any { return of(c, 0, 7) })
	c.maybe(config, "command", func() any { return []any{"run", "$(A)"} })
	c.maybe(config, "env", func() any { return environment(c) })
	c.maybe(config, "ports", func() any { return ports(c) })
	c.maybe(config, "volumeMounts", func() any { return mounts(c) })
	c.maybe(config, "resources", func() any { return resources(c) })
	c.maybe(config, "securityContext", func() any { return securityContext(c) })
	if c.number(3) == 1 {
		config[of(c, "startupProbe", "readinessProbe", "livenessProbe")] = handler(c)
	}
	if c.number(3) == 1 {
		config["lifecycle"] = object{of(c, "preStop", "postStart"): of(c, handler(c), object{"sleep": object{"seconds": 1}}, object{"exec": object{"command": []any{"sh", "-c", "kill 1"}}})}
		c.maybe(config, "preStopEnds", func() any { return true })
	}
	return config
}

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func handler(c *choices) object {
	switch c.number(3) {
	case 1:
		return object{"tcpSocket": object{"port": of[any](c, 8080, "metrics")}}
	case 2:
		return object{"exec": object{"command": []any{"true"}}}
	}
	return object{"httpGet": object{"port": of[any](c, "http", 80, "metrics"), "path": "/"}}
}

func environment(c *choices) any {
	value := func() object {
		return of(c, object{"value": "x"}, object{"valueFrom": object{"fieldRef": object{"fieldPath": "status.podIP"}}},
			object{"valueFrom": object{"secretKeyRef": object{"name": "s", "key": "k"}}})
	}
	if c.yes() {
		all := object{}
		for range 1 + c.number(3) {
			all[of(c, "A", "B", "POD_NAME", mark)] = of[any](c, "text", 1, 1000000, 0.5, true, nil, value(), "$(A)")
		}
		if _, marked := all[mark]; marked {
			all[mark] = "the mark"
		}
		return all
	}
	var all []any
	for range 1 + c.number(3) {
		variable := value()
		variable["name"] = of(c, "A", "B", "STATE_DIR")
		all = append(all, variable)
	}
	return all
}

func ports(c *choices) any {
	port := func() object {
		p := object{"containerPort": of(c, 8080, 9100, 53)}
		c.maybe(p, "protocol", func() any { return of(c, "TCP", "UDP") })
		c.maybe(p, "hostPort", func() any { return of(c, 8080, 9100) })
		return p
	}
	if c.yes() {
		all := object{}
		for range 1 + c.number(2) {
			all[of(c, "http", "metrics")] = of[any](c, 9100, nil, port())
		}
		return all
	}
	var all []any
	for range 1 + c.number(2) {
		p := port()
		c.maybe(p, "name", func() any { return of(c, "http", "metrics") })
		all = append(all, p)
	}
	return all
}

func mounts(c *choices) any {
	mount := func() object {
		m := object{}
		c.maybe(m, "mountPath", func() any { return of(c, "/x", "/x/", "/outrigger", "/logs") })
		c.maybe(m, "readOnly", func() any { return c.yes() })
		c.maybe(m, "subPath", func() any { return "sub" })
		return m
	}
	if c.yes() {
		all := object{}
		for range 1 + c.number(2) {
			all[of(c, "v", "own", "missing")] = of[any](c, "/x", nil, mount())
		}
		return all
	}
	var all []any
	for range 1 + c.number(2) {
		m := mount()
		m["name"] = of(c, "v", "own", "missing")
		all = append(all, m)
	}
	return all
}

func resources(c *choices) object {
	quantities := func() any {
		all := object{}
		c.maybe(all, "cpu", func() any { return of[any](c, "10m", 1, "0.5", "2") })
		c.maybe(all, "memory", func() any { return of[any](c, "16Mi", "1Gi", 1e6, "64M") })
		c.maybe(all, "ephemeral-storage", func() any { return "1Gi" })
		return all
	}
	all := object{}
	c.maybe(all, "requests", quantities)
	c.maybe(all, "limits", quantities)
	return all
}

func securityContext(c *choices) object {
	all := object{}
	c.maybe(all, "runAsUser", func() any { return of(c, 0, 1000) })
	c.maybe(all, "runAsNonRoot", func() any { return c.yes() })
	c.maybe(all, "privileged", func() any { return c.yes() })
	c.maybe(all, "readOnlyRootFilesystem", func() any { return c.yes() })
	c.maybe(all, "capabilities", func() any { return object{"add": []any{of(c, "NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE")}} })
	return all
}
