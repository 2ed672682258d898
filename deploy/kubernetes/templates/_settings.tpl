{{/*
What a process is told. All of it stands in the pod itself, not in a ConfigMap, so
that a change of a setting rolls the pods, and so that the migration, which runs
before everything else, needs nothing of this chart but its secrets.
*/}}

{{/* Settings that the chart gives itself, and how to say what they are to be. */}}
{{- define "holdfast.checkSettings" -}}
{{- $own := dict
  "HOLDFAST_INBOX" "see secrets.inbox"
  "HOLDFAST_OPERATOR_TOKEN" "see secrets.operatorToken"
  "HOLDFAST_OPERATOR_LISTEN" "it is :8081"
  "HOLDFAST_LISTEN" "it is :8080"
  "HOLDFAST_ROUTES" "see worker.routes"
  "HOLDFAST_BUILD_ID" "see worker.versioning.buildID"
  "TEMPORAL_ADDRESS" "see temporal.address"
  "TEMPORAL_API_KEY" "see temporal.apiKey" -}}
{{- range $group := list "common" "ingress" "worker" -}}
{{- range $name, $_ := index $.Values.settings $group -}}
{{- if hasKey $own $name }}{{ fail (printf "settings.%s.%s: the chart sets it; %s" $group $name (get $own $name)) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- range $group := list "ingress" "worker" -}}
{{- range index $.Values.secrets $group -}}
{{- if or (hasKey $.Values.settings.common .setting) (hasKey (index $.Values.settings $group) .setting) -}}
{{- fail (printf "secrets.%s: %s is in settings, too: remove one of them" $group .setting) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Plain settings of a role ("ingress", "worker" or "" for all): a list of env. */}}
{{- define "holdfast.plainSettings" -}}
{{- $root := .root -}}
{{- $all := dict -}}
{{- if .role }}{{ $all = merge (dict) (index $root.Values.settings .role) }}{{ end -}}
{{- $all = merge $all $root.Values.settings.common -}}
{{- if not $root.Values.worker.versioning.enabled }}{{ $all = omit $all "HOLDFAST_DEPLOYMENT" }}{{ end -}}
{{- range $name := keys $all | sortAlpha }}
- name: {{ $name }}
  value: {{ get $all $name | quote }}
{{- end }}
{{- end }}

{{/* The secrets of a role, as a list of {setting, name, key}. */}}
{{- define "holdfast.secretSettings" -}}
{{- $inbox := .root.Values.secrets.inbox -}}
{{- if and (eq .role "migration") .root.Values.secrets.migrationInbox.name }}{{ $inbox = .root.Values.secrets.migrationInbox }}{{ end -}}
{{- $list := list (dict "setting" "HOLDFAST_INBOX" "name" (required "secrets.inbox.name: which secret holds the inbox's URL?" $inbox.name) "key" $inbox.key) -}}
{{- if ne .role "migration" -}}
{{- $token := .root.Values.secrets.operatorToken -}}
{{- $list = append $list (dict "setting" "HOLDFAST_OPERATOR_TOKEN" "name" (required "secrets.operatorToken.name: which secret holds the operator's token?" $token.name) "key" $token.key) -}}
{{- $list = concat $list (index .root.Values.secrets .role) -}}
{{- end -}}
{{ $list | toJson }}
{{- end }}

{{- define "holdfast.secretEnv" -}}
{{- range include "holdfast.secretSettings" . | fromJsonArray }}
- name: {{ .setting }}_FILE
  value: /run/secrets/holdfast/{{ .setting }}
{{- end }}
{{- end }}

{{/* One volume for all of a role's secrets, each a file that is called after its setting. */}}
{{- define "holdfast.secretVolume" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range include "holdfast.secretSettings" . | fromJsonArray }}
      - secret:
          name: {{ .name }}
          items:
            - key: {{ .key }}
              path: {{ .setting }}
      {{- end }}
{{- end }}

{{/* How Temporal is reached: names that its SDK reads. */}}
{{- define "holdfast.temporalEnv" -}}
- name: TEMPORAL_ADDRESS
  value: {{ required "temporal.address: where is Temporal's frontend? host:port" .Values.temporal.address | quote }}
{{- with .Values.temporal.apiKey }}
{{- if .name }}
- name: TEMPORAL_API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- with .Values.temporal.tls }}
{{- if .name }}
- name: TEMPORAL_TLS_CLIENT_CERT_PATH
  value: /run/secrets/temporal-tls/tls.crt
- name: TEMPORAL_TLS_CLIENT_KEY_PATH
  value: /run/secrets/temporal-tls/tls.key
{{- if .ca }}
- name: TEMPORAL_TLS_SERVER_CA_CERT_PATH
  value: /run/secrets/temporal-tls/ca.crt
{{- end }}
{{- end }}
{{- with .serverName }}
- name: TEMPORAL_TLS_SERVER_NAME
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.temporalVolume" -}}
{{- with .Values.temporal.tls.name }}
- name: temporal-tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{- define "holdfast.temporalMount" -}}
{{- if .Values.temporal.tls.name }}
- name: temporal-tls
  mountPath: /run/secrets/temporal-tls
  readOnly: true
{{- end }}
{{- end }}
