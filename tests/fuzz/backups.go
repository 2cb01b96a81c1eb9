package fuzz

// mark is a variable of whose references in a pattern's text none may expand.
const mark = "MARK"

// text returns a text of a pattern: plain, with what the kubelet or a template would take for a reference, or odd.
func text(c *choices, plain string) string {
	if c.number(4) != 1 {
		return plain
	}
	odd := []string{"$(A)", "$(" + mark + ")", "pa$$word", "{{ .Release.Name }}", "a'b\"c", "two\nlines", "$$(A)", "{{ .Values.missing }}", `{{ "{{" }}`}
	return odd[c.random.IntN(len(odd))]
}

// secretKey is a reference to a key of a Secret, in both of its forms.
func secretKey(c *choices) any {
	return of[any](c, object{"name": "secret", "key": "key"}, "secret", object{"name": "secret"}, object{"key": "key"})
}

// source is what a volume of an entry's own is made of.
func source(c *choices) object {
	return of(c, object{"persistentVolumeClaim": object{"claimName": "data"}}, object{"emptyDir": object{}},
		object{"nfs": object{"server": "nfs", "path": "/"}}, object{"persistentVolumeClaim": object{"claimName": "data"}, "emptyDir": object{}})
}

func backup(c *choices) object {
	config := object{}
	if c.number(20) != 1 {
		config["schedule"] = of(c, "17 3 * * *", "@daily", "*/5 * * * *", "61 * * * *", "never")
	}
	for range 1 + c.number(20)/19 {
		name := []string{"postgres", "mysql", "mariadb", "redis", "sqlite", "path", "exec"}[c.random.IntN(7)]
		config[name] = backupSource(c, name)
	}
	stores := object{}
	for range 1 + c.number(20)/19 {
		if c.yes() {
			stores["restic"] = restic(c)
		} else {
			stores["files"] = remoteFiles(c)
		}
	}
	config["store"] = stores
	c.maybe(config, "as", func() any { return of(c, "cronJob", "sidecar") })
	c.maybe(config, "timeZone", func() any { return "Europe/Berlin" })
	c.maybe(config, "replica", func() any { return of(c, 0, 1) })
	c.maybe(config, "before", func() any { return text(c, "echo before") })
	c.maybe(config, "after", func() any { return text(c, "echo after") })
	c.maybe(config, "keep", func() any { return of(c, object{"daily": 7}, object{"last": 0}, object{}, object{"minimum": 3}) })
	c.maybe(config, "prune", func() any { return of(c, object{"schedule": "17 6 * * 0"}, object{}) })
	c.maybe(config, "drill", func() any { return drill(c) })
	c.maybe(config, "onSuccess", func() any { return object{"url": "https://hooks/" + text(c, "ok")} })
	c.maybe(config, "onFailure", func() any { return object{"url": "https://hooks/bad"} })
	c.maybe(config, "metrics", func() any {
		return of(c, object{"pushgateway": "http://pushgateway:9091"}, object{"textfile": "/metrics/b.prom"}, object{})
	})
	c.maybe(config, "maxAge", func() any { return of(c, "26h", "0s") })
	c.maybe(config, "workSize", func() any { return of[any](c, "2Gi", 1000, "0") })
	c.maybe(config, "env", func() any { return environment(c) })
	c.maybe(config, "resources", func() any { return resources(c) })
	c.maybe(config, "securityContext", func() any { return securityContext(c) })
	c.maybe(config, "shutdownSeconds", func() any { return of(c, 0, 99) })
	c.maybe(config, "ttlSecondsAfterFinished", func() any { return of(c, 0, 3600) })
	c.maybe(config, "podLabels", func() any { return object{"team": text(c, "shop")} })
	return config
}

func backupSource(c *choices, name string) object {
	config := object{}
	if name != "path" && c.number(10) != 1 {
		config["image"] = of(c, name+":1", "registry:5000/"+name+"@sha256:"+digest, name)
	}
	switch name {
	case "sqlite", "path":
		key := "files"
		if c.number(10) != 1 {
			key = map[string]string{"sqlite": "files", "path": "paths"}[name]
		}
		if key == "files" && c.yes() {
			config["mountPath"], config["volume"] = "/own", source(c)
		}
		config[key] = []any{of(c, "/own/app.db", "/logs", "/nowhere/app.db", "/data/"+text(c, "a"))}
		c.maybe(config, "volume", func() any { return source(c) })
		c.maybe(config, "mountPath", func() any { return of(c, "/data", "/own", "/") })
	case "exec":
		if c.number(10) != 1 {
			config["command"] = []any{"dump", text(c, "all")}
		}
		c.maybe(config, "verify", func() any { return []any{"verify", text(c, "all")} })
		c.maybe(config, "restore", func() any { return []any{"restore"} })
		c.maybe(config, "volume", func() any { return source(c) })
		c.maybe(config, "mountPath", func() any { return of(c, "/data", "/own") })
	default:
		if c.number(10) != 1 {
			config["host"] = text(c, "db")
		}
		c.maybe(config, "port", func() any { return of(c, 5432, 1, 65536) })
		c.maybe(config, "user", func() any { return text(c, "shop") })
		c.maybe(config, "secret", func() any { return secretKey(c) })
		if name != "redis" {
			c.maybe(config, "database", func() any { return text(c, "shop") })
			c.maybe(config, "databases", func() any { return []any{"a", text(c, "b")} })
			c.maybe(config, "options", func() any { return []any{of(c, "--verbose", "--format=plain", "-Fc", text(c, "-T"))} })
		}
	}
	return config
}

func restic(c *choices) object {
	config := object{}
	if c.number(10) != 1 {
		config["repository"] = of[any](c, "s3:https://s3/bucket/"+text(c, "shop"), "/own/repository", secretKey(c), "sftp:host:/x")
	}
	if c.number(10) != 1 {
		config["secret"] = secretKey(c)
	}
	c.maybe(config, "credentials", func() any { return text(c, "s3") })
	c.maybe(config, "credentialFiles", func() any { return "gcs" })
	c.maybe(config, "compression", func() any { return of[any](c, "max", "off", false) })
	c.maybe(config, "tags", func() any { return []any{text(c, "shop")} })
	c.maybe(config, "limitUpload", func() any { return of(c, 1000, 0) })
	c.maybe(config, "options", func() any { return object{"s3.connections": of[any](c, 5, "5", true)} })
	c.maybe(config, "volume", func() any { return source(c) })
	return config
}

func remoteFiles(c *choices) object {
	config := object{}
	if c.number(10) != 1 {
		config["remote"] = of(c, ":s3:bucket/"+text(c, "shop"), "/own/files", "remote:")
	}
	c.maybe(config, "credentials", func() any { return "s3" })
	c.maybe(config, "volume", func() any { return source(c) })
	return config
}

func drill(c *choices) object {
	config := object{}
	if c.number(10) != 1 {
		config["schedule"] = of(c, "17 5 * * 0", "weekly")
	}
	c.maybe(config, "check", func() any { return []any{of[any](c, "select 1", text(c, "select 2"))} })
	c.maybe(config, "size", func() any { return of[any](c, "10Gi", 1, "-1Gi") })
	c.maybe(config, "memory", func() any { return of[any](c, "1Gi", "1") })
	return config
}
