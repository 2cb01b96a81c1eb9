#!/bin/sh
# Reports what each customer of ORDERS, a file of lines "customer,amount", has ordered. It logs to LOG and writes metrics
# to METRICS, for Prometheus.
set -eu

awk -F , '
  NF == 2 { total[$1] += $2 }
  END { for (customer in total) print "report: " customer " " total[customer] }
' "$ORDERS" | sort > "$METRICS.report"
cat "$METRICS.report" >> "$LOG"

# A file that is renamed is never seen half-written.
{
  echo '# HELP batch_customers Customers in the report.'
  echo '# TYPE batch_customers gauge'
  echo "batch_customers $(wc -l < "$METRICS.report")"
} > "$METRICS.new"
mv "$METRICS.new" "$METRICS"
rm "$METRICS.report"
