# shellcheck shell=sh disable=SC2154,SC2034 # variables are those of refresh-token.sh, also those that it reads
# Hears from ambassadors whether the server takes a credential, and tells others that it was replaced: a part of refresh-token.sh.
#
# An ambassador A of PROVERS answers by renaming a file into FILE's directory as .outrigger-A, of one line:
#   SHA256 accepted            the sum is FILE's
#   SHA256 refused MESSAGE     what the server said
#   SHA256 unanswered MESSAGE  the server could not be asked, and will be again: another credential would not help
#
# Its variables, as those of refresh-token.sh, each with OUTRIGGER_ before its name:
#
#   NOTIFY_PROCESS, NOTIFY_SIGNAL   the name of a process that gets a signal (HUP): the pod shares its process namespace
#   NOTIFY_URL, NOTIFY_METHOD       what is called: GET or POST (POST)
#   NOTIFY_COMMAND                  what is run, by sh
#
# They are told when a file is replaced, and again until it succeeds; the first file is there before the app is.

prove_seconds=0.2

# Sets answer to what all of the provers say of the credential: accepted; refused, for which it sets reason; unanswered or
# waiting, for which it sets silence to who has not said, and why if that is known.
answers() {
  answer=accepted
  for prover in ${OUTRIGGER_PROVERS-}; do
    proved_sum='' verdict='' said=''
    [ ! -r "$directory/.outrigger-$prover" ] || read -r proved_sum verdict said <"$directory/.outrigger-$prover"
    case $proved_sum:$verdict in
      "$sum:accepted") ;;
      "$sum:refused")
        answer=refused reason="the credential was refused, says $prover: $said"
        explain
        return
        ;;
      "$sum:unanswered") answer=unanswered silence="$prover could not ask the server whether it takes the credential: $said" ;;
      *) answer=waiting silence="$prover has not said whether the server takes the credential" ;;
    esac
  done
}

# Waits until all provers have accepted the credential, which then is the one in use. Sets reason where it fails.
proved() {
  [ -z "${untold-}" ] || tell
  asked=$(now) warned=''
  while answers; [ "$answer" = waiting ] || [ "$answer" = unanswered ]; do
    time=$(now)
    if [ "$time" -ge "$due" ]; then
      reason="the credential, which expires at $(utc "$expires"), was not proven: $silence"
      return 1
    fi
    # A prover that starts has nothing to say for some time.
    if [ "$silence" != "$warned" ] && { [ "$answer" = unanswered ] || [ "$((time - asked))" -ge 60 ]; }; then
      warned=$silence
      log error "$silence"
    fi
    pause "$prove_seconds"
  done
  [ "$answer" = accepted ] || return 1
  write_state "$in_use" || { reason="$OUTRIGGER_WORK_DIR is not writable"; return 1; }
  log info 'the credential is refreshed' expiresAt "\"$(utc "$expires")\"" refreshAt "\"$(utc "$due")\""
}

explain() {
  [ "${OUTRIGGER_EXPLAIN-}" ] || return 0
  bounded 30 "$OUTRIGGER_WORK_DIR/explanation" "$OUTRIGGER_TOOLS/busybox" sh -c "$OUTRIGGER_EXPLAIN"
  explanation=$(hide <"$OUTRIGGER_WORK_DIR/explanation" | busybox head -n 1)
}

# Tells everybody that the file was replaced; where somebody cannot be told it is left for the next look, which is sooner.
tell() {
  if { [ -z "${OUTRIGGER_NOTIFY_PROCESS-}" ] || tell_process; } && { [ -z "${OUTRIGGER_NOTIFY_URL-}" ] || tell_url; } && { [ -z "${OUTRIGGER_NOTIFY_COMMAND-}" ] || tell_command; }; then
    untold='' told_reason=''
  else
    # The same again is said once a minute.
    if [ "$untold_reason" != "${told_reason-}" ] || [ "$(now)" -ge "$told_again" ]; then
      log error "$untold_reason"
      told_reason=$untold_reason told_again=$(($(now) + 60))
    fi
    [ "${look-0}" -le 5 ] || look=5
  fi
}

tell_process() {
  untold_reason="the process $OUTRIGGER_NOTIFY_PROCESS got no signal ${OUTRIGGER_NOTIFY_SIGNAL:-HUP}"
  busybox killall "-${OUTRIGGER_NOTIFY_SIGNAL:-HUP}" "$OUTRIGGER_NOTIFY_PROCESS" 2>"$OUTRIGGER_WORK_DIR/errors" || { untold_reason="$untold_reason: $(errors)"; return 1; }
}

tell_url() {
  set -- -q -T 10 -O /dev/null
  # busybox asks a proxy of the environment for localhost too, and knows no no_proxy.
  case $OUTRIGGER_NOTIFY_URL in *://127.* | *://localhost | *://localhost[:/]* | *://'[::1]'*) set -- "$@" -Yoff ;; esac
  [ "$OUTRIGGER_NOTIFY_METHOD" = GET ] || set -- "$@" --post-data ''
  bounded 15 /dev/null "$OUTRIGGER_TOOLS/busybox" wget "$@" "$OUTRIGGER_NOTIFY_URL" || { untold_reason="$OUTRIGGER_NOTIFY_URL could not be told of the new credential: $(errors)"; return 1; }
}

tell_command() {
  bounded 60 /dev/null "$OUTRIGGER_TOOLS/busybox" sh -c "$OUTRIGGER_NOTIFY_COMMAND" || { untold_reason="the command that tells of the new credential failed with exit code $?: $(errors)"; return 1; }
}
