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
