{{- /*
The library's default values, for a chart that does not depend on it. Generated from values.yaml.
Takes: nothing
Prints: the values, as YAML
*/ -}}
{{- define "outrigger-0.2.0.kit.defaultValues" -}}
cluster: ""
defaults:
  agentResources:
    limits:
      memory: 192Mi
    requests:
      cpu: 20m
      memory: 64Mi
  ambassadorResources:
    limits:
      memory: 128Mi
    requests:
      cpu: 10m
      memory: 32Mi
  backupResources:
    limits:
      memory: 512Mi
    requests:
      cpu: 50m
      memory: 128Mi
  cronJob:
    concurrencyPolicy: Forbid
    failedJobsHistoryLimit: 3
    startingDeadlineSeconds: 600
    successfulJobsHistoryLimit: 3
  downwardAPI: false
  guaranteedLimits:
    cpu: 100m
  job:
    backoffLimit: 3
  resources:
    limits:
      memory: 64Mi
    requests:
      cpu: 10m
      memory: 16Mi
  securityContext:
    allowPrivilegeEscalation: false
    capabilities:
      drop:
      - ALL
    readOnlyRootFilesystem: true
    runAsNonRoot: true
    seccompProfile:
      type: RuntimeDefault
  shutdownSeconds:
    ambassadors: 5
    logshippers: 10
  tokenRefresherResources:
    limits:
      memory: 256Mi
    requests:
      cpu: 10m
      memory: 32Mi
  tools: copy
images:
  busybox: docker.io/library/busybox:1.37.0-musl
  collector: docker.io/otel/opentelemetry-collector-k8s:0.158.0
  outrigger: ghcr.io/outrigger-charts/outrigger:0.2.0
  pgbouncer: ghcr.io/cloudnative-pg/pgbouncer:1.25.2
  rclone: docker.io/rclone/rclone:1.76.0
  restic: docker.io/restic/restic:0.19.1
kubeVersion: ""
mode: auto
shareProcessNamespace: false
{{- end -}}
