package fuzz

// made is an entry of jobs or cronJobs: fields of the objects that the library makes around a pod template.
func made(schedule bool) func(*choices) object {
	return func(c *choices) object {
		config := object{}
		if schedule && c.number(10) != 1 {
			config["schedule"] = of(c, "17 3 * * *", "TZ=UTC 1 1 1 1 1", "x")
			c.maybe(config, "concurrencyPolicy", func() any { return of(c, "Allow", "Forbid", "Replace") })
			c.maybe(config, "startingDeadlineSeconds", func() any { return of[any](c, 0, 600, "none") })
			c.maybe(config, "suspend", func() any { return c.yes() })
		}
		c.maybe(config, "timeZone", func() any { return "Europe/Berlin" })
		c.maybe(config, "backoffLimit", func() any { return of(c, 0, 3, -1) })
		c.maybe(config, "ttlSecondsAfterFinished", func() any { return of[any](c, 0, 60, "none") })
		c.maybe(config, "activeDeadlineSeconds", func() any { return of(c, 0, 60) })
		c.maybe(config, "completions", func() any { return of(c, 1, 3) })
		c.maybe(config, "parallelism", func() any { return of(c, 0, 3) })
		c.maybe(config, "completionMode", func() any { return of(c, "Indexed", "NonIndexed") })
		c.maybe(config, "backoffLimitPerIndex", func() any { return of(c, 0, 1) })
		c.maybe(config, "maxFailedIndexes", func() any { return of(c, 0, 1, 10) })
		c.maybe(config, "restartPolicy", func() any { return of(c, "Never", "OnFailure", "Always") })
		c.maybe(config, "podLabels", func() any { return object{of(c, "team", "app.kubernetes.io/name", "a b"): of(c, "shop", "two words")} })
		c.maybe(config, "labels", func() any { return object{"team": "shop"} })
		c.maybe(config, "annotations", func() any { return object{"team": "a shop"} })
		c.maybe(config, "keepLabels", func() any { return []any{of(c, "app", "missing")} })
		c.maybe(config, "serviceAccountName", func() any { return of(c, "shop", "Shop!") })
		c.maybe(config, "podFailurePolicy", func() any { return podFailurePolicy(c) })
		return config
	}
}

func podFailurePolicy(c *choices) object {
	rule := object{"action": of(c, "FailJob", "Ignore", "FailIndex")}
	if c.yes() {
		codes := object{"operator": "In", "values": []any{of(c, 42, 0)}}
		c.maybe(codes, "containerName", func() any { return of(c, "app", "missing") })
		rule["onExitCodes"] = codes
	} else {
		rule["onPodConditions"] = []any{object{"type": "DisruptionTarget", "status": "True"}}
	}
	return object{"rules": []any{rule}}
}
