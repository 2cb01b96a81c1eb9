#!/bin/sh
# Prints, as JSON, a token by which a user of Microsoft Entra's logs in to a database of Azure's. It runs in the image of
# the Azure CLI, on a static busybox: by the pod's workload identity, else by the node's managed identity.
#
#   AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID, AZURE_TENANT_ID   set by Azure's webhook
set -eu

if [ "${AZURE_FEDERATED_TOKEN_FILE-}" ]; then
  # The CLI reads what follows an @ from a file: a token is no argument.
  set -- --service-principal --username "$AZURE_CLIENT_ID" --tenant "$AZURE_TENANT_ID" --federated-token "@$AZURE_FEDERATED_TOKEN_FILE"
elif [ "${AZURE_CLIENT_ID-}" ]; then
  set -- --identity --client-id "$AZURE_CLIENT_ID"
else
  set -- --identity
fi
az login --allow-no-subscriptions --only-show-errors --output none "$@"
exec az account get-access-token --resource-type oss-rdbms --only-show-errors --output json
