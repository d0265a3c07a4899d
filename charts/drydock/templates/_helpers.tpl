{{/* The name by which the API server knows the operator. */}}
{{- define "drydock.username" -}}
{{ .Values.operatorUsername | default (printf "system:serviceaccount:%s:drydock" .Release.Namespace) }}
{{- end -}}

{{/* Labels of everything. */}}
{{- define "drydock.labels" -}}
app.kubernetes.io/part-of: drydock
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}
