{{/* The name of the application in labels. */}}
{{- define "regshift.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of most objects. It leaves room for -metrics and -cache: names of Services have at most 63 characters. */}}
{{- define "regshift.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $release := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $release .Values.fullnameOverride | trunc 54 | trimSuffix "-" }}
{{- end }}

{{/* The labels that select the pods of regshift. They never change: a Deployment cannot change its selector. */}}
{{- define "regshift.selectorLabels" -}}
app.kubernetes.io/name: {{ include "regshift.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "regshift.cacheSelectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-cache" (include "regshift.name" .) }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* The labels of every object beside those that select. */}}
{{- define "regshift.chartLabels" -}}
{{- $own := dict "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- $own = merge $own (dict "app.kubernetes.io/version" .Chart.AppVersion "app.kubernetes.io/managed-by" .Release.Service) }}
{{- toYaml (merge $own (default dict .Values.commonLabels)) }}
{{- end }}

{{- define "regshift.labels" -}}
{{- include "regshift.labelsWith" (list . dict) }}
{{- end }}

{{- define "regshift.cacheLabels" -}}
{{- toYaml (merge (include "regshift.cacheSelectorLabels" . | fromYaml) (include "regshift.chartLabels" . | fromYaml)) }}
{{- end }}

{{/* The labels of an object that has more of its own: (list $ labels). A key is there once: first come the labels that select, then those of the object. */}}
{{- define "regshift.labelsWith" -}}
{{- $root := first . }}
{{- $labels := merge (include "regshift.selectorLabels" $root | fromYaml) (last . | default dict) }}
{{- toYaml (merge $labels (include "regshift.chartLabels" $root | fromYaml)) }}
{{- end }}

{{/* The reference of an image: an object with repository, digest and tag. */}}
{{- define "regshift.image" -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end }}

{{- define "regshift.serviceAccountName" -}}
{{- default (ternary (include "regshift.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{/* The text of a scalar value. Helm reads numbers as float64, which prints 1e+07 for ten million. */}}
{{- define "regshift.text" -}}
{{- if kindIs "float64" . }}
{{- if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- else }}{{ toString . }}
{{- end }}
{{- end }}

{{/* The text of a setting that `env` or `config` has, else its default: (dict "root" $ "variable" … "key" … "default" …). */}}
{{- define "regshift.setting" -}}
{{- $value := .default }}
{{- if hasKey .root.Values.config .key }}{{ $value = get .root.Values.config .key }}{{ end }}
{{- if hasKey .root.Values.env .variable }}{{ $value = get .root.Values.env .variable }}{{ end }}
{{- include "regshift.text" $value }}
{{- end }}

{{/* Longer than REGSHIFT_SHUTDOWN_GRACE and REGSHIFT_SHUTDOWN_DEADLINE together. */}}
{{- define "regshift.terminationGracePeriodSeconds" -}}
{{- $grace := include "regshift.setting" (dict "root" . "variable" "REGSHIFT_SHUTDOWN_GRACE" "key" "shutdownGrace" "default" 3) }}
{{- $deadline := include "regshift.setting" (dict "root" . "variable" "REGSHIFT_SHUTDOWN_DEADLINE" "key" "shutdownDeadline" "default" 30) }}
{{- add (int64 $grace) (int64 $deadline) 7 }}
{{- end }}

{{/* "true" if more than one pod may run at a time. */}}
{{- define "regshift.severalPods" -}}
{{- if or (eq .Values.kind "DaemonSet") (gt (int .Values.replicas) 1) }}true{{ end }}
{{- end }}

{{/* "true" if a claim for one node holds the store: a second pod may not start before the first one has ended. */}}
{{- define "regshift.storeOnOneNode" -}}
{{- if and .Values.store.enabled (eq .Values.store.volume "claim") (not (has "ReadWriteMany" .Values.store.accessModes)) }}true{{ end }}
{{- end }}

{{- define "regshift.hasRedis" -}}
{{- if or .Values.redis.url .Values.redis.existingSecret .Values.valkey.enabled }}true{{ end }}
{{- end }}

{{/* The ports that routes have of their own, as a JSON list without repetitions. */}}
{{- define "regshift.routePorts" -}}
{{- $ports := list }}
{{- range .Values.config.routes }}
{{- $port := (.match | default dict).port }}
{{- range (kindIs "slice" $port | ternary $port (list $port)) }}
{{- if and . (ne (int .) 8080) }}{{ $ports = append $ports (int .) }}{{ end }}
{{- end }}
{{- end }}
{{- $ports | uniq | toJson }}
{{- end }}

{{/* The `match` of each route that has clients at the port 8080, as a JSON list: a route with other ports has none there. */}}
{{- define "regshift.httpMatches" -}}
{{- $matches := list }}
{{- range .Values.config.routes }}
{{- $match := .match | default dict }}
{{- $port := $match.port }}
{{- $isHere := not $port }}
{{- range (kindIs "slice" $port | ternary $port (list $port)) }}
{{- if eq (int .) 8080 }}{{ $isHere = true }}{{ end }}
{{- end }}
{{- if $isHere }}{{ $matches = append $matches $match }}{{ end }}
{{- end }}
{{- $matches | toJson }}
{{- end }}

{{/* A host that a route takes at the port 8080, if no route there takes requests of every host. */}}
{{- define "regshift.routeHost" -}}
{{- $hosts := list }}
{{- $isForAll := false }}
{{- range include "regshift.httpMatches" . | fromJsonArray }}
{{- if .host }}{{ $hosts = concat $hosts (kindIs "slice" .host | ternary .host (list .host)) }}{{ else }}{{ $isForAll = true }}{{ end }}
{{- end }}
{{- if and $hosts (not $isForAll) }}{{ first $hosts }}{{ end }}
{{- end }}

{{/* "true" if all clients of the Ingress use one host, and no value names the public address. A route with a host or port of its own has an address of its own. */}}
{{- define "regshift.onePublicHost" -}}
{{- $own := or (hasKey .Values.config "publicUrl") (hasKey .Values.env "REGSHIFT_PUBLIC_URL") }}
{{- range .Values.config.routes }}
{{- $match := .match | default dict }}
{{- if or $match.host $match.port }}{{ $own = true }}{{ end }}
{{- end }}
{{- if and .Values.ingress.enabled (eq (len .Values.ingress.hosts) 1) (not $own) }}true{{ end }}
{{- end }}

{{/* The variables that the chart sets, by their names. */}}
{{- define "regshift.ownEnv" -}}
PORT: "8080"
REGSHIFT_CONFIG: /etc/regshift/regshift.yaml
{{- if .Values.metrics.enabled }}
REGSHIFT_METRICS_PORT: {{ int .Values.metrics.port | quote }}
{{- end }}
{{- if .Values.signingKey.existingSecret }}
REGSHIFT_SIGNING_KEY: /etc/regshift/signing-key.pem
{{- end }}
{{- if .Values.valkey.enabled }}
REGSHIFT_REDIS_URL: redis://{{ include "regshift.fullname" . }}-cache:6379
{{- else if .Values.redis.existingSecret }}
REGSHIFT_REDIS_URL: /etc/regshift/redis-url
{{- else if .Values.redis.url }}
REGSHIFT_REDIS_URL: {{ .Values.redis.url | quote }}
{{- end }}
{{- if .Values.store.enabled }}
REGSHIFT_STORE: file:///var/lib/regshift
REGSHIFT_STORE_BYTES: {{ include "regshift.text" .Values.store.bytes | quote }}
{{- end }}
{{- if .Values.tls.existingSecret }}
REGSHIFT_TLS_CERT: /etc/regshift/tls.crt
REGSHIFT_TLS_KEY: /etc/regshift/tls.key
{{- end }}
{{- if include "regshift.onePublicHost" . }}
REGSHIFT_PUBLIC_URL: {{ ternary "https" "http" (ne .Values.ingress.tlsSecret "") }}://{{ first .Values.ingress.hosts }}
{{- end }}
{{- end }}
