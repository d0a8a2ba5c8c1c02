{{- define "start-page.nginx" -}}
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 1024; }
http {
    log_format requests '$time_iso8601 "$request_method $uri" $status $request_time';
    access_log /dev/stdout requests;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    server_tokens off;
    default_type application/octet-stream;
    types {
        text/html html;
        text/css css;
        text/javascript js;
        application/x-pem-file crt;
        text/plain sh ps1 txt;
    }
    charset utf-8;
    charset_types text/html text/css text/javascript text/plain;
    gzip on;
    gzip_types text/css text/javascript;
    gzip_min_length 1024;
    # Services are looked up while requests come, so that a new address is noticed.
    resolver kube-dns.kube-system.svc.cluster.local valid=30s ipv6=off;

    server {
        listen {{ .Values.port }};
        root /site;
        client_max_body_size 1k;
        add_header Content-Security-Policy "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" always;
        add_header X-Content-Type-Options nosniff always;
        add_header X-Frame-Options DENY always;
        add_header Referrer-Policy no-referrer always;
        add_header Permissions-Policy "camera=(), geolocation=(), microphone=()" always;
        add_header Cross-Origin-Opener-Policy same-origin always;
        add_header Cache-Control no-cache always;
{{- with .Values.hsts }}
        add_header Strict-Transport-Security "{{ . }}" always;
{{- end }}

        location = /healthz { access_log off; return 204; }
        location / { return 404; }
        location = / { try_files /index.html =404; }
{{- range .Values.files }}
{{- if not (has . (list "index.html" "health.txt")) }}
        location = /{{ . }} { }
{{- end }}
{{- end }}
{{- if .Values.authority }}
        location = /ca.crt { root /authority; }
{{- end }}
{{- range $label, $url := .Values.health }}

        # Of the answer nothing but whether it came is passed on: 200 or 503.
        location = /health/{{ $label }} {
            auth_request /asked/{{ $label }};
            error_page 401 403 500 =503 /silent;
            try_files /health.txt =500;
        }
        location = /asked/{{ $label }} {
            internal;
            set $asked {{ $url }};
            proxy_pass $asked;
            proxy_method GET;
            proxy_pass_request_body off;
            proxy_pass_request_headers off;
            proxy_set_header Content-Length "";
            proxy_connect_timeout 3s;
            proxy_read_timeout 5s;
        }
{{- end }}
        location = /silent { internal; return 503; }
    }
}
{{- end }}
