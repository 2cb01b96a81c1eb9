# shellcheck shell=sh disable=SC2154,SC2034 # variables are those of refresh-token.sh, also those that it reads
# Obtains a credential by a command, and writes it to FILE: a part of refresh-token.sh. Its variables, as those of that, each with
# OUTRIGGER_ before its name:
#
#   OUTPUT                 raw: all of the command's output, less a newline at its end, is the password; json: it is
#                          in JSON, in the places of the POINTER_... (RFC 6901)
#   POINTER_PASSWORD       /password of outrigger's own scripts, or where kubectl's ExecCredential and AWS's
#                          credential_process have it: /status/token, /SecretAccessKey
#   POINTER_USERNAME       where USERNAME is not given: /username, or with /SecretAccessKey /AccessKeyId
#   POINTER_EXPIRES_AT     a time as token-time.awk reads it: /expiresAt, /status/expirationTimestamp, /Expiration
#   POINTER_TTL            in its place: how many seconds it lives
#   POINTER_SIGNED_UNTIL   when the credentials expire that signed it, which end it too: /signedUntil, need not be there
#   TTL                    how many seconds it lives, whatever the output says

most_bytes=1048576

# Sets reason where it fails.
obtain() { # command, arguments...
  [ ! -e "$OUTRIGGER_WORK_DIR/obtained/password" ] || busybox mv "$OUTRIGGER_WORK_DIR/obtained/password" "$OUTRIGGER_WORK_DIR/before"
  busybox rm -rf "$OUTRIGGER_WORK_DIR/obtained"
  busybox mkdir "$OUTRIGGER_WORK_DIR/obtained" || { reason="$OUTRIGGER_WORK_DIR is not writable"; return 1; }
  obtained=$(now)
  bounded "${OUTRIGGER_COMMAND_SECONDS:-30}" "$OUTRIGGER_WORK_DIR/output" "$@"
  code=$?
  if [ "$code" -ne 0 ]; then
    reason="the command failed with exit code $code: $(errors)"
    case $code in
      137 | 143) [ "$(($(now) - obtained))" -lt "${OUTRIGGER_COMMAND_SECONDS:-30}" ] || reason="the command did not end within ${OUTRIGGER_COMMAND_SECONDS:-30} s: $(errors)" ;;
    esac
    return 1
  fi
  busybox mv "$OUTRIGGER_WORK_DIR/errors" "$OUTRIGGER_WORK_DIR/said"
  length=$(busybox stat -c %s "$OUTRIGGER_WORK_DIR/output")
  if [ "$length" -gt "$most_bytes" ]; then
    reason="the command's output has $length bytes, which is over 1 MB"
    return 1
  fi
  "read_$OUTRIGGER_OUTPUT" && find_expiry && find_due || return
  [ ! -s "$OUTRIGGER_WORK_DIR/said" ] || log warning "the command printed a credential and said: $(errors "$OUTRIGGER_WORK_DIR/said")"
  busybox rm -f "$OUTRIGGER_WORK_DIR/said"
}

read_raw() {
  case $(busybox tail -c 1 "$OUTRIGGER_WORK_DIR/output" | busybox od -An -tu1) in *' 10') length=$((length - 1)) ;; esac
  busybox head -c "$length" "$OUTRIGGER_WORK_DIR/output" >"$OUTRIGGER_WORK_DIR/obtained/password"
}

read_json() {
  pointers="password string ${OUTRIGGER_POINTER_PASSWORD:-/password
password string /status/token
password string /SecretAccessKey}"
  if [ "${OUTRIGGER_POINTER_USERNAME-}" ]; then
    pointers="$pointers
username string $OUTRIGGER_POINTER_USERNAME"
  elif [ -z "${OUTRIGGER_USERNAME-}" ]; then
    pointers="$pointers
username string /username"
    [ "${OUTRIGGER_POINTER_PASSWORD-}" ] || pointers="$pointers
username string /AccessKeyId"
  fi
  [ "${OUTRIGGER_TTL-}" ] || pointers="$pointers
expires-at scalar ${OUTRIGGER_POINTER_EXPIRES_AT:-/expiresAt
expires-at scalar /status/expirationTimestamp
expires-at scalar /Expiration}"
  [ -z "${OUTRIGGER_POINTER_TTL-}" ] || pointers="$pointers
ttl scalar $OUTRIGGER_POINTER_TTL"
  pointers="$pointers
signed-until scalar ${OUTRIGGER_POINTER_SIGNED_UNTIL:-/signedUntil}"
  bytes output <"$OUTRIGGER_WORK_DIR/output" |
    POINTERS=$pointers program -v into="$OUTRIGGER_WORK_DIR/obtained" -f "$OUTRIGGER_SCRIPTS/token-json.awk" 2>"$OUTRIGGER_WORK_DIR/errors" ||
    { reason=$(errors); return 1; }
  if [ ! -e "$OUTRIGGER_WORK_DIR/obtained/password" ]; then
    reason="the output has no ${OUTRIGGER_POINTER_PASSWORD:-/password, /status/token or /SecretAccessKey}, where the credential would be"
    return 1
  fi
  if [ "${OUTRIGGER_POINTER_USERNAME-}" ] && [ ! -e "$OUTRIGGER_WORK_DIR/obtained/username" ]; then
    reason="the output has no $OUTRIGGER_POINTER_USERNAME, where the username would be"
    return 1
  fi
}

# Sets expires, which is when the credential or what signed it does, life and signed_left.
find_expiry() {
  if [ "${OUTRIGGER_TTL-}" ]; then
    expires=$((obtained + OUTRIGGER_TTL))
  elif [ -e "$OUTRIGGER_WORK_DIR/obtained/expires-at" ]; then
    unix_time expires-at || return
    expires=$unix_time
  elif [ -e "$OUTRIGGER_WORK_DIR/obtained/ttl" ]; then
    expires=$(busybox awk -v obtained="$obtained" '!/^[0-9]+([.][0-9]+)?$/ || length($0) > 12 {exit 1} {printf "%.0f", obtained + int($0)}' "$OUTRIGGER_WORK_DIR/obtained/ttl") ||
      { reason="$OUTRIGGER_POINTER_TTL is no number of seconds"; return 1; }
  else
    reason="the output has no ${OUTRIGGER_POINTER_EXPIRES_AT:-${OUTRIGGER_POINTER_TTL:-/expiresAt, /status/expirationTimestamp or /Expiration}}, where the expiry would be; name its place, or set OUTRIGGER_TTL"
    return 1
  fi
  life=$((expires - obtained)) signed_left=$life
  if [ -e "$OUTRIGGER_WORK_DIR/obtained/signed-until" ]; then
    unix_time signed-until || return
    signed_left=$((unix_time - obtained))
    [ "$unix_time" -ge "$expires" ] || expires=$unix_time
  fi
  if [ "$expires" -le "$obtained" ]; then
    reason="the credential, or what signed it, had expired when it was obtained: at $(utc "$expires"), and this pod's clock says $(utc "$obtained")"
    return 1
  fi
}

# Sets unix_time.
unix_time() { # name of what was obtained
  unix_time=$({ busybox cat "$OUTRIGGER_WORK_DIR/obtained/$1"; echo; } | busybox awk -f "$OUTRIGGER_SCRIPTS/token-time.awk" 2>/dev/null) ||
    { reason="the output's $1 is no time: write it as 2026-01-31T12:00:00Z, or in seconds since 1970"; return 1; }
}

# Sets due, and ready_until.
find_due() {
  wait_for=$((life * 66 / 100))
  [ ! -e "$OUTRIGGER_WORK_DIR/obtained/signed-until" ] || [ "$((signed_left * 80 / 100))" -ge "$wait_for" ] || wait_for=$((signed_left * 80 / 100))
  wait_for=$((wait_for - wait_for * $(random) / 2000))
  [ "$wait_for" -ge "${OUTRIGGER_LEAST_SECONDS:-1}" ] || wait_for=${OUTRIGGER_LEAST_SECONDS:-1}
  due=$((obtained + wait_for))
  margin=$(((expires - obtained) / 10))
  [ "$margin" -ge 1 ] || margin=1
  [ "$margin" -le 60 ] || margin=60
  ready_until=$((expires - ${OUTRIGGER_MARGIN_SECONDS:-$margin}))
}

# Writes what was obtained to FILE, by a rename. Sets reason where it fails, and then FILE is as it was.
write() {
  if ! formatted >"$OUTRIGGER_WORK_DIR/formatted" 2>"$OUTRIGGER_WORK_DIR/errors"; then
    reason=$(errors)
    return 1
  fi
  sum=$(sum_of "$OUTRIGGER_WORK_DIR/formatted")
  [ "$(sum_of "$OUTRIGGER_FILE")" = "$sum" ] || [ ! -e "$OUTRIGGER_FILE" ] || untold=yes
  new=$directory/.outrigger-$OUTRIGGER_REFRESHER.token
  busybox rm -f "$new"
  # A credential that is the same again is proven again: what was said of the one before does not count.
  for prover in ${OUTRIGGER_PROVERS-}; do busybox rm -f "$directory/.outrigger-$prover"; done
  # The mode comes before the contents: what has the file open may write whatever the mode.
  # shellcheck disable=SC2094 # which is what is wanted
  if ! { { busybox chmod "$OUTRIGGER_MODE" "$new" && busybox cat "$OUTRIGGER_WORK_DIR/formatted"; } >"$new" &&
    write_state "$written" && busybox mv "$new" "$OUTRIGGER_FILE"; } 2>"$OUTRIGGER_WORK_DIR/errors"; then
    reason="$OUTRIGGER_FILE was not written: $(errors)"
    busybox rm -f "$new"
    return 1
  fi
  busybox rm -f "$OUTRIGGER_WORK_DIR/output" "$OUTRIGGER_WORK_DIR/formatted"
}

formatted() {
  {
    bytes password <"$OUTRIGGER_WORK_DIR/obtained/password"
    if [ -e "$OUTRIGGER_WORK_DIR/obtained/username" ]; then bytes username <"$OUTRIGGER_WORK_DIR/obtained/username"; else text username "${OUTRIGGER_USERNAME-}"; fi
    text host "${OUTRIGGER_HOST-}"
    text port "${OUTRIGGER_PORT-}"
    text database "${OUTRIGGER_DATABASE-}"
    text template "${OUTRIGGER_TEMPLATE-}"
    text expiresAt "$(utc "$expires")"
  } | program -v format="$OUTRIGGER_FORMAT" -f "$OUTRIGGER_SCRIPTS/token-format.awk"
}

text() { [ -z "$2" ] || printf '%s' "$2" | bytes "$1"; } # name, text
