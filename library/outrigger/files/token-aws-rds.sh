#!/bin/sh
# shellcheck shell=sh
#
# Makes the password of a database user who logs in to Amazon RDS by IAM: a command for refresh-token.sh. It needs the
# aws-cli, 2.13 or later.
#
#   token-aws-rds.sh            prints {"password","expiresAt","signedUntil"}, the last where what signs it expires
#   token-aws-rds.sh explain    prints one line about why the server may refuse the one that was made last
#
#   RDS_HOST, RDS_PORT, RDS_USER   what it is for: another name of the same server makes another token
#   RDS_REGION                 the server's, or nothing: the aws-cli's own
#   CREDENTIALS_DIR        a folder of files named AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN and
#                          AWS_CREDENTIAL_EXPIRATION where it has them, which sign it; or nothing: what the aws-cli finds
#   OUTRIGGER_WORK_DIR     a private writable folder
#
# A token dies with the credentials that sign it. Of those that it has cached the aws-cli renews what has less than 15
# minutes left.
set -uf
umask 077

HOME=$OUTRIGGER_WORK_DIR/home
AWS_PAGER=''
export HOME AWS_PAGER

busybox() { LC_ALL=C "$OUTRIGGER_TOOLS/busybox" "$@"; }
now() { busybox date +%s; }
utc() { TZ=UTC busybox date -d "@$1" +%Y-%m-%dT%H:%M:%SZ; } # seconds
complain() { printf '%s\n' "$1" >&2; return 1; }
fail() { complain "$1"; exit 1; }
unix_time() { busybox awk -f "$OUTRIGGER_SCRIPTS/token-time.awk"; }

# ---- The credentials that sign. They are in variables of this shell, and in the environment of the one aws-cli that signs.

find_credentials() {
  if [ "${CREDENTIALS_DIR-}" ]; then mounted_credentials; else exported_credentials; fi
}

mounted_credentials() {
  key=$(secret AWS_ACCESS_KEY_ID) secret_key=$(secret AWS_SECRET_ACCESS_KEY) session=$(secret AWS_SESSION_TOKEN)
  [ "${key:+$secret_key}" ] || complain "the Secret of the credentials has no AWS_ACCESS_KEY_ID, or no AWS_SECRET_ACCESS_KEY" || return
  signed_until=$(secret AWS_CREDENTIAL_EXPIRATION)
  [ -z "$signed_until" ] || signed_until=$(printf '%s\n' "$signed_until" | unix_time)
}

secret() { [ ! -r "$CREDENTIALS_DIR/$1" ] || busybox cat "$CREDENTIALS_DIR/$1"; } # name

exported_credentials() {
  found=$OUTRIGGER_WORK_DIR/signing
  busybox rm -rf "$found"
  busybox mkdir "$found"
  aws configure export-credentials --format process >"$found/json" || return
  { echo output; busybox od -An -v -tu1 "$found/json"; } |
    POINTERS='key string /AccessKeyId
secret string /SecretAccessKey
session string /SessionToken
until scalar /Expiration' busybox awk -v into="$found" -f "$OUTRIGGER_SCRIPTS/token-bytes.awk" -f "$OUTRIGGER_SCRIPTS/token-json.awk" || return
  { [ -e "$found/key" ] && [ -e "$found/secret" ]; } || complain 'aws configure export-credentials printed no credentials' || return
  session='' signed_until=''
  key=$(busybox cat "$found/key") secret_key=$(busybox cat "$found/secret")
  [ ! -e "$found/session" ] || session=$(busybox cat "$found/session")
  [ ! -e "$found/until" ] || signed_until=$({ busybox cat "$found/until"; echo; } | unix_time) || return
  busybox rm -rf "$found"
}

# Runs the aws-cli with these credentials and no others.
signing() { # arguments
  (
    unset AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION
    export AWS_ACCESS_KEY_ID="$key" AWS_SECRET_ACCESS_KEY="$secret_key"
    [ -z "$session" ] || export AWS_SESSION_TOKEN="$session"
    [ -z "${RDS_REGION-}" ] || set -- "$@" --region "$RDS_REGION"
    exec aws "$@"
  )
}

# ---- The token

make() {
  find_credentials || exit
  signing rds generate-db-auth-token --hostname "$RDS_HOST" --port "$RDS_PORT" --username "$RDS_USER" >"$OUTRIGGER_WORK_DIR/token" || exit
  read_token "$OUTRIGGER_WORK_DIR/token"
  { [ "$expires" ] && busybox grep -q '^[^"\\[:space:]]*$' "$OUTRIGGER_WORK_DIR/token"; } || fail 'aws rds generate-db-auth-token printed no token'
  busybox awk -v expires="$expires" -v signed_until="$signed_until" '
    {printf "{\"password\":\"%s\",\"expiresAt\":%s%s}\n", $0, expires, signed_until == "" ? "" : ",\"signedUntil\":" signed_until; exit}' "$OUTRIGGER_WORK_DIR/token"
  busybox rm -f "$OUTRIGGER_WORK_DIR/token"
}

# Sets expires, and what a token was signed for: for_host (with the port), for_user, for_region.
read_token() { # file
  expires='' signed=$(field "$1" X-Amz-Date) lives=$(field "$1" X-Amz-Expires)
  signed=$(printf '%s\n' "$signed" | unix_time 2>/dev/null) && [ "$lives" ] && expires=$((signed + lives))
  for_host=$(busybox sed 's|[/?].*||' "$1") for_user=$(printf '%b' "$(field "$1" DBUser | busybox sed 's/%/\\x/g')")
  for_region=$(field "$1" X-Amz-Credential | busybox sed 's|%2[Ff]|/|g' | busybox cut -d / -f 3)
}

field() { busybox sed -n "s/.*[?&]$2=\([^&]*\).*/\1/p" "$1" | busybox head -n 1; } # file, name

# ---- Why it may be refused

explain() {
  read_token "$OUTRIGGER_WORK_DIR/obtained/password" 2>/dev/null
  [ "$expires" ] || fail 'there is no token to explain'
  time=$(now)
  if [ "$time" -ge "$expires" ]; then
    echo "the token has expired: at $(utc "$expires"), and this pod's clock says $(utc "$time")"
    return
  fi
  region=$(region_of "${for_host%:*}")
  if [ "$region" ] && [ "$region" != "$for_region" ]; then
    echo "the region is wrong: the token is signed for $for_region, and the server ${for_host%:*} is in $region"
    return
  fi
  find_credentials 2>"$OUTRIGGER_WORK_DIR/explanation-errors" || { echo "the credentials that sign it are not there: $(busybox tail -n 1 "$OUTRIGGER_WORK_DIR/explanation-errors")"; return; }
  if [ "$signed_until" ] && [ "$time" -ge "$signed_until" ]; then
    echo "the credentials that sign it have expired: at $(utc "$signed_until"), and this pod's clock says $(utc "$time")"
    return
  fi
  if identity=$(AWS_MAX_ATTEMPTS=1 signing sts get-caller-identity --query Arn --output text --cli-connect-timeout 5 --cli-read-timeout 5 2>"$OUTRIGGER_WORK_DIR/explanation-errors"); then
    identity="the policy of $identity"
  else
    said=$(busybox tr -s '\n' ' ' <"$OUTRIGGER_WORK_DIR/explanation-errors")
    case $said in
      *'Signature expired'* | *'Signature not yet current'* | *RequestTimeTooSkewed* | *RequestExpired*)
        echo "this pod's clock is wrong$(skew): AWS says: $(gist)"
        return
        ;;
      *ExpiredToken* | *InvalidClientTokenId* | *SignatureDoesNotMatch* | *UnrecognizedClient* | *IncompleteSignature* | *InvalidAccessKeyId*)
        echo "the credentials that sign it are not valid: AWS says: $(gist)"
        return
        ;;
    esac
    identity="the policy of the access key $key"
  fi
  echo "the token is signed for the user $for_user of $for_host in $for_region until $(utc "$expires"): check that the user has the role rds_iam, and that $identity allows rds-db:connect to it"
}

# Prints the region that a server's name has: NAME.ID.REGION.rds.amazonaws.com, or in China NAME.ID.rds.REGION.amazonaws.com.cn.
region_of() { # host
  printf '%s\n' "$1" | busybox sed -n 's/^.*[.]\([a-z0-9-]*\)[.]rds[.]amazonaws[.]com\([.]cn\)\{0,1\}[.]\{0,1\}$/\1/p; s/^.*[.]rds[.]\([a-z0-9-]*\)[.]amazonaws[.]com[.]cn[.]\{0,1\}$/\1/p'
}

gist() { printf '%s' "$said" | busybox sed 's/^.*operation\( ([^)]*)\)\{0,1\}: //; s/ *$//'; }

# Prints by how much, where AWS says the time of the request and its own.
skew() {
  # "20260102T030405Z is now earlier than 20260102T032000Z (20260102T033500Z - 15 min.)", or "still later than"
  times=$(printf '%s' "$said" | busybox sed -n 's/.* \([0-9]\{8\}T[0-9]\{6\}Z\) is .*(\([0-9]\{8\}T[0-9]\{6\}Z\) [-+].*/\1\n\2/p' | unix_time 2>/dev/null | busybox tr '\n' ' ')
  here=${times%% *} there=${times#* }
  there=${there% }
  [ "$here" ] && [ "$there" ] || return 0
  if [ "$here" -lt "$there" ]; then printf ' by %s s, behind' "$((there - here))"; else printf ' by %s s, ahead' "$((here - there))"; fi
}

busybox mkdir -p "$HOME" || fail "$OUTRIGGER_WORK_DIR is not writable"
case ${1-} in
  '') make ;;
  explain) explain ;;
  *) fail 'usage: token-aws-rds.sh [explain]' ;;
esac
