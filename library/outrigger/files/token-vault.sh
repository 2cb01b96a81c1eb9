#!/bin/sh
# shellcheck shell=sh
#
# Reads dynamic credentials of Vault or OpenBao: a command for refresh-token.sh. It needs the vault program.
#
#   token-vault.sh    prints {"signedUntil","secret"}: the secret is Vault's answer, with /secret/data/username,
#                     /secret/data/password and /secret/lease_duration
#
#   SECRET_PATH   what is read: database/creds/shop
#   ROLE          the role to log in as by the service account's token; nothing where VAULT_TOKEN is given
#   AUTH_PATH     where Vault has the Kubernetes auth method (kubernetes)
#   JWT_FILE      the service account's token (/var/run/secrets/kubernetes.io/serviceaccount/token)
#   VAULT_...     as the vault program has them
#   OUTRIGGER_WORK_DIR   a private writable folder
#
# Vault revokes credentials when the token that read them expires, so that is when what signed them does.
set -uf
umask 077

HOME=$OUTRIGGER_WORK_DIR/home
export HOME
LOOKUP=$OUTRIGGER_WORK_DIR/vault-token.json

busybox() { LC_ALL=C "$OUTRIGGER_TOOLS/busybox" "$@"; }

busybox mkdir -p "$HOME" || exit
busybox rm -f "$LOOKUP" "$OUTRIGGER_WORK_DIR/vault-until"
if [ -z "${VAULT_TOKEN-}" ]; then
  # The vault program reads both tokens from files: none is in an argument.
  unset VAULT_TOKEN
  vault write -field=token "auth/${AUTH_PATH:-kubernetes}/login" role="$ROLE" \
    jwt=@"${JWT_FILE:-/var/run/secrets/kubernetes.io/serviceaccount/token}" >"$HOME/.vault-token" || exit
fi
# A policy may forbid the lookup: then nothing is known of the token's end.
if vault token lookup -format=json >"$LOOKUP" 2>/dev/null; then
  { echo output; busybox od -An -v -tu1 "$LOOKUP"; } |
    POINTERS='vault-until string /data/expire_time' busybox awk -v into="$OUTRIGGER_WORK_DIR" -f "$OUTRIGGER_SCRIPTS/token-bytes.awk" -f "$OUTRIGGER_SCRIPTS/token-json.awk"
fi
busybox rm -f "$LOOKUP"
vault read -format=json "$SECRET_PATH" >"$OUTRIGGER_WORK_DIR/vault-secret" || exit
if [ -s "$OUTRIGGER_WORK_DIR/vault-until" ]; then printf '{"signedUntil":"%s","secret":' "$(busybox cat "$OUTRIGGER_WORK_DIR/vault-until")"; else printf '{"secret":'; fi
busybox cat "$OUTRIGGER_WORK_DIR/vault-secret"
printf '}\n'
busybox rm -f "$OUTRIGGER_WORK_DIR/vault-secret" "$OUTRIGGER_WORK_DIR/vault-until"
