{{- define "litellm.image" -}}
{{ required "image.repository is empty" .Values.image.repository }}:{{ required "image.tag is empty" .Values.image.tag }}
{{- end }}

{{- define "litellm.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65534
runAsGroup: 65534
fsGroup: 65534
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "litellm.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "litellm.database" -}}
- name: DATABASE_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ .Values.secret }}, key: database-password}}
- name: DATABASE_URL
  value: {{ required "databaseUrl is empty" .Values.databaseUrl | quote }}
- name: LITELLM_MASTER_KEY
  valueFrom: {secretKeyRef: {name: {{ .Values.secret }}, key: LITELLM_MASTER_KEY}}
- name: LITELLM_SALT_KEY
  valueFrom: {secretKeyRef: {name: {{ .Values.secret }}, key: LITELLM_SALT_KEY}}
# Whom the database client believes that the server is its own: Azure's authorities alone. OpenSSL reads these.
- {name: SSL_CERT_FILE, value: {{ .Values.databaseRoots.folder }}/{{ .Values.databaseRoots.file }}}
- {name: SSL_CERT_DIR, value: {{ .Values.databaseRoots.folder }}}
{{ include "litellm.offline" . }}
# Copies of the migrations, below a root that cannot be written.
- {name: LITELLM_MIGRATION_DIR, value: /tmp/migrations}
{{- end }}

{{- define "litellm.offline" -}}
# Nothing is fetched from the internet, where no flow leads.
- {name: LITELLM_LOCAL_MODEL_COST_MAP, value: "True"}
- {name: LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS, value: "True"}
- {name: LITELLM_LOCAL_POLICY_TEMPLATES, value: "true"}
- {name: LITELLM_LOCAL_BLOG_POSTS, value: "True"}
- {name: LITELLM_LOCAL_AUTOROUTER_PRESETS, value: "True"}
{{- end }}

{{- define "litellm.files" -}}
config.yaml: |
  {{- toYaml .Values.config | nindent 2 }}
{{- range list "start.py" "tracing.py" "call_texts.py" "trace_items.py" "trace_spool.py" "refusals.py" }}
{{ . }}: |
  {{- $.Files.Get . | nindent 2 }}
{{- end }}
{{- if .Values.cloud }}
cloud.py: |
  {{- .Files.Get "cloud.py" | nindent 2 }}
{{- end }}
{{- end }}

{{- define "litellm.writable" -}}
- {name: tmp, mountPath: /tmp}
- {name: cache, mountPath: /.cache}
- {name: npm, mountPath: /.npm}
{{- end }}

{{- define "litellm.writableVolumes" -}}
- {name: tmp, emptyDir: {sizeLimit: 500Mi}}
- {name: cache, emptyDir: {sizeLimit: 500Mi}}
- {name: npm, emptyDir: {sizeLimit: 100Mi}}
{{- end }}

{{- define "litellm.databaseRoots" -}}
- {name: database-roots, mountPath: {{ .Values.databaseRoots.folder }}, readOnly: true}
{{- end }}

{{- define "litellm.databaseRootsVolume" -}}
- name: database-roots
  configMap: {name: {{ required "databaseRoots.configMap is empty" .Values.databaseRoots.configMap }}}
{{- end }}

{{- define "litellm.cloud" -}}
- {name: CLOUD_MODELS, value: {{ .models | toJson | quote }}}
- {name: CLOUD_CHAT_KEYS, value: {{ .chatKeys | quote }}}
{{- with .identity }}
- {name: CLOUD_CLIENT_ID, value: {{ .clientId | quote }}}
- {name: CLOUD_TOKEN_URL, value: {{ .tokenUrl | quote }}}
- {name: CLOUD_TOKEN_FILE, value: /cloud-identity/token}
{{- end }}
{{- end }}
