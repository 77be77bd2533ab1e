{{/* Values that exclude or need each other. values.schema.json has the rules for single values. */}}
{{- define "regshift.checks" -}}
{{- $values := .Values }}
{{- if not (or $values.config.upstream $values.config.routes (hasKey $values.env "REGSHIFT_UPSTREAM")) }}
{{- fail "config.upstream is not set: set the URL of your registry, like --set config.upstream=https://registry.example, or config.routes for several registries" }}
{{- end }}
{{- if and $values.config.routes (not (include "regshift.httpMatches" . | fromJsonArray)) }}
{{- fail "config.routes: each route has another port than 8080, so no pod listens at 8080, which the probes and the Service of the chart use. Leave match.port out of one route, or set it to 8080" }}
{{- end }}
{{- $several := include "regshift.severalPods" . }}
{{- $hasKey := or $values.signingKey.existingSecret (hasKey $values.env "REGSHIFT_SIGNING_KEY") (hasKey $values.env "REGSHIFT_SIGNING_KEY_FILE") }}
{{- if and (or $several (include "regshift.hasRedis" .)) (not $hasKey) }}
{{- fail "signingKey.existingSecret is not set: several pods, and pods with a Redis, need the same key. Make one: openssl ecparam -name prime256v1 -genkey -noout | kubectl create secret generic regshift --from-file=signing-key.pem=/dev/stdin; then --set signingKey.existingSecret=regshift" }}
{{- end }}
{{- $shared := list }}
{{- if $values.redis.url }}{{ $shared = append $shared "redis.url" }}{{ end }}
{{- if $values.redis.existingSecret }}{{ $shared = append $shared "redis.existingSecret" }}{{ end }}
{{- if $values.valkey.enabled }}{{ $shared = append $shared "valkey.enabled" }}{{ end }}
{{- if gt (len $shared) 1 }}
{{- fail (printf "%s are set: pods share one Redis, so keep one of them" (join " and " $shared)) }}
{{- end }}
{{- if contains "@" $values.redis.url }}
{{- fail "redis.url has a login, which would be readable in the pod: put the address into a Secret, and set redis.existingSecret" }}
{{- end }}
{{- if and $several (include "regshift.storeOnOneNode" .) }}
{{- fail "store.accessModes does not contain ReadWriteMany: several pods cannot share a volume for one node. Use a class for shared storage, store.volume=emptyDir, or a bucket (config.store)" }}
{{- end }}
{{- if and $values.store.enabled (hasKey $values.config "store") }}
{{- fail "store.enabled and config.store are set: there is one store, so keep one of them" }}
{{- end }}
{{- if and (int $values.hostPort) (ne $values.kind "DaemonSet") }}
{{- fail "hostPort is set, and kind is not DaemonSet: a port of the node is for one pod on each node. Use service.type=NodePort for a Deployment" }}
{{- end }}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) }}
{{- fail "ingress.hosts is empty: name the host that clients pull from, like --set 'ingress.hosts={proxy.example.com}'" }}
{{- end }}
{{- if and (not $values.metrics.enabled) (or $values.metrics.serviceMonitor.enabled $values.metrics.prometheusRule.enabled $values.metrics.grafanaDashboard.enabled) }}
{{- fail "metrics.enabled is false: serviceMonitor, prometheusRule and grafanaDashboard need the metrics" }}
{{- end }}
{{- range include "regshift.routePorts" . | fromJsonArray }}
{{- if eq (int .) (int $values.service.port) }}
{{- fail (printf "service.port is %d, and a route has match.port %d: a Service has each port once. Take another service.port" (int .) (int .)) }}
{{- end }}
{{- end }}
{{- if $values.metrics.enabled }}
{{- range append (include "regshift.routePorts" . | fromJsonArray) 8080 }}
{{- if eq (int .) (int $values.metrics.port) }}
{{- fail (printf "metrics.port is %d: clients use this port, so take another one for the metrics" (int .)) }}
{{- end }}
{{- end }}
{{- end }}
{{- $own := include "regshift.ownEnv" . | fromYaml }}
{{- range $name, $value := $values.env }}
{{- if hasKey $own $name }}
{{- fail (printf "env.%s is set: the chart sets this variable by its own values" $name) }}
{{- end }}
{{- if and (kindIs "map" $value) (hasKey $value "valueFrom") }}
{{- fail (printf "env.%s.valueFrom is set: the value of a variable is already what Kubernetes has below valueFrom. Write env.%s.secretKeyRef, or configMapKeyRef" $name $name) }}
{{- end }}
{{- end }}
{{- end }}
