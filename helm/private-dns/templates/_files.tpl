{{- define "private-dns.corefile" -}}
{{- $zone := required "zone is empty" .Values.zone -}}
# No other zone has a block, so that other names are refused: this is nobody's way to the internet's names.
{{ $zone }}:5353 {
    file /etc/coredns/zone {{ $zone }}
    errors
    # An answer of many records would let somebody use this as an amplifier.
    minimal
    prometheus :9153
    health :8080
    ready :8181
}
{{- end }}
{{- define "private-dns.zone" -}}
{{- $zone := required "zone is empty" .Values.zone -}}
{{- $ingress := required "ingressAddress is empty" .Values.ingressAddress -}}
$ORIGIN {{ $zone }}.
$TTL {{ .Values.ttlSeconds }}
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A {{ required "address is empty" .Values.address }}
@ IN A {{ $ingress }}
* IN A {{ $ingress }}
{{ end }}
