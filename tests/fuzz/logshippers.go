package fuzz

func logshipper(c *choices) object {
	config := object{"files": []any{of(c, "/logs/a.log", "/logs/*.log", "/own/$(X)/?", "/nowhere/a.log", "/logs/"+text(c, "b"))}}
	targets := object{}
	for range 1 + c.number(10)/9 {
		target := []string{"stdout", "otlphttp", "otlp/second", "debug", "file"}[c.random.IntN(5)]
		targets[target] = destination(c, target)
	}
	if c.number(20) != 1 {
		config["to"] = targets
	}
	c.maybe(config, "shutdownSeconds", func() any { return of(c, 0, 3) })
	c.maybe(config, "env", func() any { return environment(c) })
	c.maybe(config, "resources", func() any { return resources(c) })
	if targets["stdout"] != nil && c.number(5) != 1 {
		return config // the others mean nothing beside it
	}
	c.maybe(config, "exclude", func() any { return []any{"/logs/x"} })
	c.maybe(config, "attributes", func() any { return object{"team": text(c, "shop")} })
	c.maybe(config, "resource", func() any { return object{"service.name": text(c, "shop")} })
	c.maybe(config, "redact", func() any {
		return []any{of(c, object{"pattern": "secret=[^ ]*"}, object{"field": "password"}, object{"pattern": "["},
			object{"pattern": "(token|key): *([^ ]+)", "replacement": text(c, "$1 ***")})}
	})
	c.maybe(config, "queue", func() any {
		return of(c, object{"size": "64Mi"}, object{"size": "0"}, object{"volume": "own"}, object{"volume": "missing"}, object{"whenFull": "drop"})
	})
	c.maybe(config, "rotate", func() any { return of(c, object{"maxSize": "10Mi"}, object{"maxSize": "10Mi", "keep": 0}, object{}) })
	c.maybe(config, "metrics", func() any { return of(c, object{"annotations": true}, object{"podMonitor": true}, object{}) })
	c.maybe(config, "multiline", func() any { return object{of(c, "startPattern", "endPattern"): of(c, "^[0-9]", "[")} })
	c.maybe(config, "parse", func() any {
		return of(c, object{"json": object{}}, object{"regex": "^(?P<a>.*)$"}, object{"cri": object{}, "message": "log"}, object{"severity": object{"field": "level"}},
			object{"json": object{}, "timestamp": object{"field": "ts", "layout": "%s", "layoutType": of(c, "strptime", "epoch", "gotime")}})
	})
	c.maybe(config, "filter", func() any {
		return of(c, object{"minSeverity": "INFO"}, object{"drop": []any{of(c, "DEBUG", "[")}}, object{"sample": object{"percentage": of(c, 10, 0.5), "all": "WARN"}})
	})
	c.maybe(config, "receive", func() any { return object{"otlp": of[any](c, true, object{})} })
	c.maybe(config, "scrape", func() any { return []any{object{"name": text(c, "app"), "port": of(c, 8080, 1)}} })
	c.maybe(config, "liveness", func() any { return c.yes() })
	c.maybe(config, "extraConfig", func() any {
		return of(c, object{"processors": object{"batch": nil}}, object{"service": nil}, object{"receivers": object{"x": object{"a": "$(A)"}}})
	})
	if c.random.IntN(4) == 0 {
		config["agent"] = of(c, "custom", "collector")
		config["custom"] = object{"command": []any{"run", text(c, "x")}}
		config["image"] = of(c, "agent:1", "agent")
		delete(config, "to")
	}
	return config
}

func destination(c *choices, target string) any {
	if target == "stdout" || target == "debug" {
		return of[any](c, object{}, true)
	}
	config := object{}
	if c.number(20) != 1 {
		config["endpoint"] = of(c, "http://collector:4318", "https://collector", "collector:4317", text(c, "https://a"))
	}
	c.maybe(config, "headers", func() any {
		return object{"X-Team": of[any](c, "shop", object{"valueFrom": object{"secretKeyRef": object{"name": "s", "key": "k"}}}, text(c, "a"), 1)}
	})
	c.maybe(config, "tls", func() any {
		return of(c, object{"ca": object{"configMapKeyRef": object{"name": "ca", "key": "ca.pem"}}}, object{"insecure": true}, object{})
	})
	return config
}
