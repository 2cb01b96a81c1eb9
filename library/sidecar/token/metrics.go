package token

import "github.com/prometheus/client_golang/prometheus"

// metrics are what Prometheus is shown, each with the refresher's name.
type metrics struct {
	registry *prometheus.Registry
	labels   prometheus.Labels
	obtained prometheus.Counter
	failures prometheus.Counter
	refused  *prometheus.CounterVec
}

func newMetrics(refresher string) *metrics {
	labels := prometheus.Labels{"refresher": refresher}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		labels:   labels,
		obtained: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrigger_credential_obtained_total", Help: "Credentials that the provider gave.", ConstLabels: labels}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrigger_credential_failures_total", Help: "Attempts that ended without a credential in use.", ConstLabels: labels}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrigger_credential_refused_total", Help: "Credentials that the server refused, by its SQLSTATE.", ConstLabels: labels}, []string{"reason"}),
	}
	m.registry.MustRegister(m.obtained, m.failures, m.refused)
	return m
}

// watch adds what is known of the credential in use.
func (m *metrics) watch(memory *memory, clock clock) {
	gauge := func(name, help string, value func(record) float64) prometheus.Collector {
		return inUseCollector{prometheus.NewDesc(name, help, nil, m.labels), memory, value}
	}
	m.registry.MustRegister(
		gauge("outrigger_credential_expiry_timestamp_seconds", "When the credential in use expires, in seconds since 1970.",
			func(inUse record) float64 { return float64(inUse.ExpiresAt.UnixMilli()) / 1000 }),
		gauge("outrigger_credential_age_seconds", "How long ago the credential in use was obtained.",
			func(inUse record) float64 { return clock.Now().Sub(inUse.ObtainedAt).Seconds() }),
	)
}

// inUseCollector is a gauge that is not there before a credential is in use.
type inUseCollector struct {
	description *prometheus.Desc
	memory      *memory
	value       func(record) float64
}

func (c inUseCollector) Describe(to chan<- *prometheus.Desc) { to <- c.description }

func (c inUseCollector) Collect(to chan<- prometheus.Metric) {
	if inUse := c.memory.get().InUse; inUse.Sum != "" {
		to <- prometheus.MustNewConstMetric(c.description, prometheus.GaugeValue, c.value(inUse))
	}
}

func (m *metrics) refusedFor(sqlState string) {
	if sqlState == "" {
		sqlState = "unknown"
	}
	m.refused.WithLabelValues(sqlState).Inc()
}
