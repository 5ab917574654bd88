{{/* Name of the application, as in app.kubernetes.io/name. */}}
{{- define "presage.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the objects in the release's namespace. */}}
{{- define "presage.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "presage.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "presage.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Name of the Lease that decides which operator acts. */}}
{{- define "presage.leaseName" -}}
presage-operator
{{- end }}

{{/*
Name of the cluster-wide role and its binding. It is the same for every release, so that Helm refuses a second one:
two releases would hold two Leases, and both would act.
*/}}
{{- define "presage.clusterRoleName" -}}
presage-operator
{{- end }}

{{- define "presage.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "presage.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "presage.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "presage.selectorLabels" -}}
app.kubernetes.io/name: {{ include "presage.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "presage.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "presage.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: presage
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Name of the admission policy; like the cluster role, the same for every release. */}}
{{- define "presage.admissionPolicyName" -}}
presage-target-may-be-scaled
{{- end }}

{{/*
CEL: whether a MetricProfile makes presage write replicas. The context is the variable that holds it. It reads the
annotation as the operator does.
*/}}
{{- define "presage.acts" -}}
{{ . }}.spec.scaling.mode == 'Auto' && !{{ . }}.spec.paused && {{ . }}.metadata.?annotations[?'presage.dev/paused'].orValue('').lowerAscii() != 'true'
{{- end }}

{{/* Name of what injects pods; the same for every release, since it is for the whole cluster. */}}
{{- define "presage.injectionName" -}}
presage-injection
{{- end }}

{{- define "presage.injectionLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "presage.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: injection
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: presage
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The version in which the cluster serves MutatingAdmissionPolicies; empty if it does not. */}}
{{- define "presage.policyVersion" -}}
{{- range list "v1" "v1beta1" }}
{{- $version := printf "admissionregistration.k8s.io/%s" . }}
{{- if $.Capabilities.APIVersions.Has (printf "%s/MutatingAdmissionPolicy" $version) }}
{{- $version }}
{{- break }}
{{- end }}
{{- end }}
{{- end }}

{{/* CEL: whether the mount m is the one that is added. */}}
{{- define "presage.isOurMount" -}}
m.name == 'presage-recording' && m.mountPath == '/etc/presage/recording'
{{- end }}

{{/*
CEL: whether the container c has nothing mounted at, above or below the path. A mount above may be read-only, and then no
directory can be made in it, nor in ours for a mount below: the container would not start.
*/}}
{{- define "presage.mountPathIsFree" -}}
!c.?volumeMounts.orValue([]).exists(m, m.mountPath.matches('^/*etc(/+presage(/+recording(/.*)?)?)?/*$') && !({{ include "presage.isOurMount" . }}))
{{- end }}

{{/*
The variables that a container is given, in this order: name, what it is given in CEL, and names that stand against it
when the container sets them. A variable for other SDKs (otel) is left out where its source (envFrom) cannot be seen:
what the user set is never replaced. The service's name stands against nothing of ours: so it comes first.
*/}}
{{- define "presage.injectedVariables" -}}
{{- $config := list "OTEL_CONFIG_FILE" "OTEL_EXPERIMENTAL_CONFIG_FILE" }}
- name: PRESAGE_PROFILE_FILE
  gives: "value: '/etc/presage/recording/recording.jsonl'"
- name: PRESAGE_POD_NAME
  gives: >-
    valueFrom: Object.spec.containers.env.valueFrom{fieldRef:
    Object.spec.containers.env.valueFrom.fieldRef{fieldPath: 'metadata.name'}}
- name: OTEL_SERVICE_NAME
  otel: true
  unless: {{ append $config "OTEL_RESOURCE_ATTRIBUTES" | toJson }}
  gives: "value: object.metadata.labels['presage.dev/profile']"
- name: OTEL_RESOURCE_ATTRIBUTES
  otel: true
  unless: {{ $config | toJson }}
  gives: "value: 'k8s.namespace.name=' + request.namespace + ',k8s.pod.name=$(PRESAGE_POD_NAME)'"
- name: OTEL_METRIC_EXPORT_INTERVAL
  otel: true
  unless: {{ $config | toJson }}
  gives: "value: '{{ mul 1000 .Values.injection.exportIntervalSeconds }}'"
{{- with .Values.injection.otlpEndpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  otel: true
  unless: {{ $config | toJson }}
  gives: "value: '{{ . }}'"
{{- end }}
{{- end }}

{{/* Whether presage's webhook may be used; empty if not. */}}
{{- define "presage.webhook" -}}
{{- if and .Values.injection.enabled (ne .Values.injection.webhook.mode "Never") }}true{{ end }}
{{- end }}

{{- define "presage.webhookService" -}}
{{ include "presage.fullname" . }}-webhook
{{- end }}

{{/* The operator's environment, as far as it is about injection. */}}
{{- define "presage.injectionSettings" -}}
{{- with .Values.injection -}}
- name: PRESAGE_INJECTION_CHECK_SECONDS
  value: {{ ternary "600" "0" .enabled | quote }}
- name: PRESAGE_INJECTION_WEBHOOK
  value: {{ .webhook.mode | quote }}
{{- if include "presage.webhook" $ }}
- name: PRESAGE_INJECTION_WEBHOOK_PORT
  value: {{ .webhook.port | quote }}
- name: PRESAGE_INJECTION_WEBHOOK_SERVICE
  value: {{ include "presage.webhookService" $ | quote }}
- name: PRESAGE_INJECTION_CERTIFICATE
  value: {{ .webhook.certificate | quote }}
- name: PRESAGE_INJECTION_EXPORT_INTERVAL_SECONDS
  value: {{ .exportIntervalSeconds | quote }}
- name: PRESAGE_INJECTION_OTLP_ENDPOINT
  value: {{ .otlpEndpoint | quote }}
{{- end }}
{{- end }}
{{- end }}
