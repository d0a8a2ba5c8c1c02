{{- define "serving-front.nginx" -}}
worker_processes 2;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 8192; }
http {
    log_format requests '$time_iso8601 $waits_for "$request_method $uri" $status $request_time $upstream_status';
    access_log /dev/stdout requests;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    server_tokens off;

    # Services are looked up while requests come, so that a new address is noticed.
    resolver kube-dns.kube-system.svc.cluster.local valid=30s ipv6=off;
    limit_conn_zone $waits_for zone=engines:1m;
    limit_conn_status 503;
    limit_conn_log_level warn;

    keepalive_timeout {{ .Values.idleSeconds }}s;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header X-Request-ID $request_id;
    proxy_connect_timeout 10s;
    proxy_send_timeout 60s;
    proxy_read_timeout {{ .Values.timeoutSeconds }}s;
    # Tokens are handed on as they come.
    proxy_buffering off;
    client_max_body_size 100m;
    # The interceptor's answer to a wait that was too long is 504.
    proxy_intercept_errors on;

    server {
        listen 8080;
        default_type application/json;
        set $waits_for -;

        location = /healthz { access_log off; return 200 '{"status":"ok"}'; }

        location @full {
            internal;
            add_header Retry-After {{ .Values.retryAfterSeconds }} always;
            return 503 '{"error":{"message":"too many requests wait for this model; try again later","type":"overloaded_error","code":"model_overloaded"}}';
        }
        location @starting {
            internal;
            add_header Retry-After {{ .Values.retryAfterSeconds }} always;
            return 503 '{"error":{"message":"the model is still starting, or no GPU is to be had; try again later","type":"overloaded_error","code":"model_starting"}}';
        }
        location / { return 404 '{"error":{"message":"no such engine","type":"invalid_request_error","code":"not_found"}}'; }
{{- range $name, $engine := .Values.engines }}

        # Looking around must not start a GPU, nor keep one awake.
{{- if eq $engine.engine "ollama" }}
        location = /{{ $name }}/ { default_type text/plain; return 200 'Ollama is running'; }
        location = /{{ $name }}/api/version { return 200 '{"version":{{ $.Values.ollamaVersion | quote }}}'; }
        location = /{{ $name }}/api/ps { return 200 '{"models":[]}'; }
        location = /{{ $name }}/api/tags { return 200 '{{ include "serving-front.tags" $engine.models }}'; }
{{- else }}
        location = /{{ $name }}/health { return 200 '{}'; }
        location = /{{ $name }}/version { return 200 '{"version":"unknown while asleep"}'; }
{{- end }}
        location = /{{ $name }}/v1/models { return 200 '{{ include "serving-front.models" $engine.models }}'; }
        # Models are listed in the environment file: what changes, stops or describes an engine is refused with whatever
        # else calls no model.
        location /{{ $name }}/ {
            return 403 '{"error":{"message":"not offered here; models are managed by the platform","type":"invalid_request_error","code":"forbidden"}}';
        }
        location ~ ^/{{ $name }}/({{ join "|" $engine.calls }})$ {
            if ($request_method != POST) { return 405 '{"error":{"message":"POST alone","type":"invalid_request_error","code":"method_not_allowed"}}'; }
            set $waits_for {{ $name }};
            set $upstream {{ $engine.upstream }};
            limit_conn engines {{ $engine.requests }};
            error_page 502 504 =503 @starting;
            error_page 503 @full;
            proxy_set_header Host {{ $engine.host | quote }};
            rewrite ^/{{ $name }}/(.*)$ /$1 break;
            proxy_pass http://$upstream;
        }
{{- end }}
    }
}
{{- end }}

{{- define "serving-front.tags" -}}
{{- $models := list }}
{{- range . }}
{{- $models = append $models (dict "name" . "model" . "modified_at" "1970-01-01T00:00:00Z" "size" 0 "digest" (sha256sum .) "details" dict) }}
{{- end }}
{{- dict "models" $models | toJson }}
{{- end }}

{{- define "serving-front.models" -}}
{{- $models := list }}
{{- range . }}
{{- $models = append $models (dict "id" . "object" "model" "created" 0 "owned_by" "platform") }}
{{- end }}
{{- dict "object" "list" "data" $models | toJson }}
{{- end }}
