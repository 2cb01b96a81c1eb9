#!/bin/sh
# Processes the orders in ORDERS, a file of lines "customer,amount", one after the other. It logs to LOG, and keeps
# metrics of how far it is in METRICS, for Prometheus. Ends with 1 at a line that is no order.
set -eu

log() { printf '%s\n' "$*" >> "$LOG"; }

# A file that is renamed is never seen half-written.
write_metrics() {
  {
    echo '# HELP batch_orders_processed Orders that this run has processed.'
    echo '# TYPE batch_orders_processed gauge'
    echo "batch_orders_processed $processed"
    echo '# HELP batch_orders Orders that this run has to process.'
    echo '# TYPE batch_orders gauge'
    echo "batch_orders $count"
  } > "$METRICS.new"
  mv "$METRICS.new" "$METRICS"
}

# A shell that is process 1 ignores SIGTERM unless it traps it.
trap 'log "told to stop after $processed of $count orders"; exit 143' TERM

count=$(grep -c . "$ORDERS" || true)
processed=0
write_metrics
while IFS=, read -r customer amount || [ -n "$customer" ]; do # the last line may lack its newline
  [ -n "$customer$amount" ] || continue
  case $customer,$amount in
    ,* | *, | *,*[!0-9]*)
      log "no order: $customer,$amount"
      exit 1
      ;;
  esac
  sleep "$SECONDS_PER_ORDER" &
  wait $! || true
  processed=$((processed + 1))
  log "processed order $processed of $count: $customer $amount"
  write_metrics
done < "$ORDERS"
log "processed $processed orders"
