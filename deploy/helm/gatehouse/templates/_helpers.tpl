{{- define "gatehouse.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "gatehouse.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gatehouse.labels" -}}
{{ include "gatehouse.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* What the chart sets itself, with the user's configuration over it. */}}
{{- define "gatehouse.config" -}}
{{- $tls := dict "self_signed" true -}}
{{- if .Values.tls.secretName -}}
{{- $tls = dict "certificates" (list (dict "certificate" "/tls/tls.crt" "private_key" "/tls/tls.key")) -}}
{{- end -}}
{{- $own := dict
  "listeners" (list (dict "address" "0.0.0.0:8443" "tls" $tls) (dict "address" "0.0.0.0:8080" "redirect_to_https" true))
  "admin" (dict "address" "0.0.0.0:9901")
  "upstream" (dict "url" (printf "http://127.0.0.1:%d" (int .Values.app.port)) "wait_for_app" "10s")
  "limits" (dict "connections" 4000)
  "shutdown" (dict "linger" (printf "%ds" (max 0 (sub (int .Values.app.preStopSeconds) 5))) "deadline" "25s")
-}}
{{- mustMergeOverwrite $own (deepCopy .Values.gatehouse.config) | toYaml -}}
{{- end -}}

{{- define "gatehouse.locked" -}}
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
{{- end -}}
