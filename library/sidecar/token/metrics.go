package token

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

// metrics are what Prometheus is shown, each with the refresher's name, and whose it is where the document says that.
type metrics struct {
	registry *prometheus.Registry
	labels   prometheus.Labels
	obtained prometheus.Counter
	failures *prometheus.CounterVec
	inARow   prometheus.Gauge
	refused  *prometheus.CounterVec
}

func newMetrics(of document.Token) *metrics {
	labels := prometheus.Labels{"refresher": of.Name}
	if of.Metrics != nil && of.Metrics.Owner != "" {
		labels["owner"] = of.Metrics.Owner
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		labels:   labels,
		obtained: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrigger_credential_obtained_total", Help: "Credentials that the provider gave.", ConstLabels: labels}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrigger_credential_failures_total", Help: "Attempts that ended without a credential in use, by what has failed.", ConstLabels: labels}, []string{"reason"}),
		inARow: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "outrigger_credential_consecutive_failures", Help: "Such attempts since a credential was last in use as it should be.", ConstLabels: labels}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrigger_credential_refused_total", Help: "Credentials that the server refused, by its SQLSTATE.", ConstLabels: labels}, []string{"reason"}),
	}
	m.registry.MustRegister(m.obtained, m.failures, m.inARow, m.refused)
	for _, reason := range reasons {
		m.failures.WithLabelValues(string(reason)) // an increase from 0 is seen
	}
	return m
}

// watch adds what is known of the credential in use.
func (m *metrics) watch(r *refresher) {
	gauge := func(name, help string, value func(record) float64) prometheus.Collector {
		return inUseCollector{prometheus.NewDesc(name, help, nil, m.labels), r.memory, value}
	}
	m.registry.MustRegister(
		gauge("outrigger_credential_expiry_timestamp_seconds", "When the credential in use expires, in seconds since 1970.",
			func(inUse record) float64 { return timestamp(inUse.ExpiresAt) }),
		gauge("outrigger_credential_expires_in_seconds", "How long it is until the credential in use expires; less than 0 where it has.",
			func(inUse record) float64 { return inUse.ExpiresAt.Sub(r.clock.Now()).Seconds() }),
		gauge("outrigger_credential_ready_until_timestamp_seconds", "Until when the refresher is ready, unless another credential is in use before, in seconds since 1970.",
			func(record) float64 { return timestamp(r.readyUntil()) }),
		gauge("outrigger_credential_age_seconds", "How long ago the credential in use was obtained.",
			func(inUse record) float64 { return r.clock.Now().Sub(inUse.ObtainedAt).Seconds() }),
	)
}

func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

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
