package pgbouncer

import (
	"context"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is a column of an answer of the console's, by the name that prometheus-community's pgbouncer_exporter gives to
// it.
type metric struct {
	column string
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	factor float64
}

func pool(column, name, help string) metric {
	return metric{column, prometheus.NewDesc("pgbouncer_pools_"+name, help, []string{"database", "user"}, nil),
		prometheus.GaugeValue, 1}
}

func stat(column, name, help string, factor float64) metric {
	return metric{column, prometheus.NewDesc("pgbouncer_stats_"+name, help, []string{"database"}, nil),
		prometheus.CounterValue, factor}
}

const microseconds = 1e-6

var (
	poolMetrics = []metric{
		pool("cl_active", "client_active_connections", "Clients that are linked to a server or idle."),
		pool("cl_waiting", "client_waiting_connections", "Clients that wait for a server."),
		pool("sv_active", "server_active_connections", "Servers that are linked to a client."),
		pool("sv_idle", "server_idle_connections", "Servers that are ready for a client."),
		pool("sv_used", "server_used_connections", "Servers that have to be checked before they are used again."),
		pool("sv_tested", "server_testing_connections", "Servers that are reset or checked."),
		pool("sv_login", "server_login_connections", "Servers that are being logged in to."),
		pool("maxwait", "client_maxwait_seconds", "How long the client that has waited longest has waited."),
	}
	statMetrics = []metric{
		stat("total_query_count", "queries_pooled_total", "Queries.", 1),
		stat("total_query_time", "queries_duration_seconds_total", "Time in queries.", microseconds),
		stat("total_received", "received_bytes_total", "Bytes received.", 1),
		stat("total_sent", "sent_bytes_total", "Bytes sent.", 1),
		stat("total_wait_time", "client_wait_seconds_total", "Time that clients waited for a server.", microseconds),
		stat("total_xact_count", "sql_transactions_pooled_total", "Transactions.", 1),
		stat("total_xact_time", "server_in_transaction_seconds_total", "Time in transactions.", microseconds),
	}
	up = prometheus.NewDesc("pgbouncer_up", "Whether pgbouncer answers.", nil, nil)
)

// collector asks the console at each scrape.
type collector struct{ console console }

// Describe implements prometheus.Collector.
func (c collector) Describe(descs chan<- *prometheus.Desc) {
	descs <- up
	for _, m := range append(poolMetrics, statMetrics...) {
		descs <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	pools, err := c.console.ofDatabases(ctx, "POOLS")
	stats, other := c.console.ofDatabases(ctx, "STATS")
	if err != nil || other != nil {
		metrics <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, 0)
		return
	}
	metrics <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, 1)
	send(metrics, poolMetrics, pools, "database", "user")
	send(metrics, statMetrics, stats, "database")
}

// send sends the metrics of each row, under the labels that are columns too.
func send(to chan<- prometheus.Metric, metrics []metric, rows []row, labels ...string) {
	for _, row := range rows {
		var values []string
		for _, label := range labels {
			values = append(values, strings.ToValidUTF8(row[label], "?"))
		}
		for _, m := range metrics {
			// A column that a version of pgbouncer lacks is left out.
			if value, err := strconv.ParseFloat(row[m.column], 64); err == nil {
				to <- prometheus.MustNewConstMetric(m.desc, m.kind, value*m.factor, values...)
			}
		}
	}
}
