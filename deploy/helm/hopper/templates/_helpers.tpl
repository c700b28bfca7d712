{{- define "hopper.labels" -}}
app.kubernetes.io/name: hopper
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Labels of the pods of one process: (list $ "ingest") */}}
{{- define "hopper.selector" -}}
app.kubernetes.io/name: hopper
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "hopper.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "hopper.podAnnotations" -}}
checksum/settings: {{ include (print $.Template.BasePath "/settings.yaml") . | sha256sum }}
{{- if .Values.scrape }}
prometheus.io/scrape: 'true'
prometheus.io/port: '8080'
prometheus.io/path: /metrics
{{- end }}
{{- end }}

{{/* What every pod has: an unprivileged user and no way to become another. */}}
{{- define "hopper.podSecurity" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "hopper.containerBase" -}}
image: {{ include "hopper.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
envFrom:
  - configMapRef: { name: {{ .Release.Name }}-settings }
  {{- if .Values.existingSecret }}
  - secretRef: { name: {{ .Values.existingSecret }} }
  {{- end }}
{{- end }}

{{/* Not ready: no traffic. Not alive: /healthcheck answers while the process serves, whatever the engines do. */}}
{{- define "hopper.probes" -}}
ports: [{ name: http, containerPort: 8080 }]
startupProbe:
  httpGet: { path: /healthcheck, port: http }
  periodSeconds: 5
  failureThreshold: 120
readinessProbe:
  httpGet: { path: /ready, port: http }
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  httpGet: { path: /healthcheck, port: http }
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}

{{- define "hopper.mounts" -}}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  {{- if .Values.tlsSecret }}
  - { name: tls, mountPath: /etc/hopper/tls, readOnly: true }
  {{- end }}
{{- end }}

{{- define "hopper.volumes" -}}
volumes:
  - { name: tmp, emptyDir: {} }
  {{- if .Values.tlsSecret }}
  - { name: tls, secret: { secretName: {{ .Values.tlsSecret }}, defaultMode: 0440 } }
  {{- end }}
{{- end }}

{{/* Replicas on different nodes where there are several. */}}
{{- define "hopper.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "hopper.selector" . | nindent 8 }}
{{- end }}
