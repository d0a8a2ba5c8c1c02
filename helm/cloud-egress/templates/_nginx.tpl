{{- define "cloud-egress.nginx" -}}
worker_processes 2;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 4096; }
http {
    # Which model, how much and how it ended; nothing of what was asked.
    log_format requests '$time_iso8601 $place $request_method $status $request_length $bytes_sent $request_time $upstream_status';
    access_log /dev/stdout requests;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    server_tokens off;
    resolver kube-dns.kube-system.svc.cluster.local valid=30s ipv6=off;

    keepalive_timeout {{ .Values.idleSeconds }}s;
    client_max_body_size 100m;
    proxy_http_version 1.1;
    proxy_connect_timeout 10s;
    proxy_send_timeout 60s;
    proxy_read_timeout {{ .Values.timeoutSeconds }}s;
    # Tokens are handed on as they come, and no prompt is sent twice.
    proxy_buffering off;
    proxy_next_upstream off;
    # The host proves itself, or nothing is sent to it.
    proxy_ssl_server_name on;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 4;
    proxy_ssl_protocols TLSv1.2 TLSv1.3;
    proxy_ssl_trusted_certificate {{ .Values.authorities }};
    # Nothing that a caller's request says of itself; each place names what its host needs.
    proxy_pass_request_headers off;

    server {
        listen {{ .Values.port }};
        default_type application/json;
        set $place -;

        location = /healthz { access_log off; return 200 '{"status":"ok"}'; }
        location / { return 403 '{"error":{"message":"not let out of the network","type":"invalid_request_error","code":"forbidden"}}'; }
        location @away {
            internal;
            return 503 '{"error":{"message":"the service outside the network cannot be reached","type":"overloaded_error","code":"service_unavailable"}}';
        }
{{- range $name, $model := .Values.models }}
        location ~ ^/{{ regexQuoteMeta $name }}/({{ range $index, $call := $model.calls }}{{ if $index }}|{{ end }}{{ regexQuoteMeta $call }}{{ end }})$ {
            if ($request_method != POST) { return 405 '{"error":{"message":"POST alone","type":"invalid_request_error","code":"method_not_allowed"}}'; }
            set $place {{ $name }};
            set $upstream {{ $model.host }}:{{ $model.port }};
            error_page 502 504 =503 @away;
            proxy_ssl_name {{ $model.host }};
            {{- include "cloud-egress.headers" . | nindent 12 }}
            proxy_set_header Host {{ $model.host }}{{ if ne (int $model.port) 443 }}:{{ $model.port }}{{ end }};
            rewrite ^/{{ regexQuoteMeta $name }}/(.*)$ {{ $model.base }}/$1 break;
            proxy_pass https://$upstream;
        }
{{- end }}
{{- with .Values.entra }}
        location = /{{ .path }}/oauth2/v2.0/token {
            if ($request_method != POST) { return 405; }
            set $place entra;
            set $upstream {{ .host }}:443;
            error_page 502 504 =503 @away;
            proxy_ssl_name {{ .host }};
            {{- include "cloud-egress.headers" . | nindent 12 }}
            proxy_set_header Host {{ .host }};
            rewrite ^ /{{ .tenant }}/oauth2/v2.0/token break;
            proxy_pass https://$upstream;
        }
{{- end }}
    }
}
{{- end }}

{{- define "cloud-egress.headers" -}}
proxy_set_header Connection "";
proxy_set_header Authorization $http_authorization;
proxy_set_header api-key $http_api_key;
proxy_set_header Content-Type $content_type;
proxy_set_header Accept $http_accept;
{{- end }}
