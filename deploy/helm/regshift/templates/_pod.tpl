{{/* The pod of the Deployment and of the DaemonSet. */}}
{{- define "regshift.pod" -}}
metadata:
  annotations:
    # A change of the settings replaces the pods.
    checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    {{- include "regshift.labelsWith" (list . .Values.podLabels) | nindent 4 }}
spec:
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  # Longer than REGSHIFT_SHUTDOWN_GRACE and REGSHIFT_SHUTDOWN_DEADLINE together.
  terminationGracePeriodSeconds: {{ include "regshift.terminationGracePeriodSeconds" . }}
  serviceAccountName: {{ include "regshift.serviceAccountName" . }}
  automountServiceAccountToken: false
  # A Service named regshift adds REGSHIFT_PORT and other variables to pods. They are not settings, and unknown
  # settings stop the start.
  enableServiceLinks: false
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if eq .Values.kind "Deployment" }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "regshift.selectorLabels" . | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: regshift
      image: {{ include "regshift.image" (dict "repository" .Values.image.repository "digest" .Values.image.digest "tag" (default .Chart.AppVersion .Values.image.tag)) | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      env:
        {{- range $name, $value := include "regshift.ownEnv" . | fromYaml }}
        - name: {{ $name }}
          value: {{ $value | quote }}
        {{- end }}
        {{- range $name, $value := .Values.env }}
        - name: {{ $name }}
          {{- if kindIs "map" $value }}
          valueFrom:
            {{- toYaml $value | nindent 12 }}
          {{- else }}
          value: {{ include "regshift.text" $value | quote }}
          {{- end }}
        {{- end }}
      ports:
        - name: http
          containerPort: 8080
          {{- if int .Values.hostPort }}
          hostPort: {{ int .Values.hostPort }}
          {{- end }}
        {{- range include "regshift.routePorts" . | fromJsonArray }}
        - name: route-{{ . }}
          containerPort: {{ . }}
        {{- end }}
        {{- if .Values.metrics.enabled }}
        - name: metrics
          containerPort: {{ int .Values.metrics.port }}
        {{- end }}
      livenessProbe:
        {{- with .Values.livenessProbe }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        httpGet:
          path: /healthz
          {{- include "regshift.probePort" . | nindent 10 }}
      readinessProbe:
        {{- with .Values.readinessProbe }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        httpGet:
          path: /readyz
          {{- include "regshift.probePort" . | nindent 10 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        - name: settings
          mountPath: /etc/regshift
          readOnly: true
        {{- if .Values.store.enabled }}
        - name: layers
          mountPath: /var/lib/regshift
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: settings
      projected:
        # 0440: only the owner and the group (fsGroup; Kubernetes, pkg/volume/projected) can read the secrets.
        defaultMode: 288
        sources:
          - configMap:
              name: {{ include "regshift.fullname" . }}
          {{- with .Values.signingKey }}
          {{- if .existingSecret }}
          {{- include "regshift.secretFile" (dict "secret" .existingSecret "key" .key "path" "signing-key.pem") | nindent 10 }}
          {{- end }}
          {{- end }}
          {{- with .Values.redis }}
          {{- if .existingSecret }}
          {{- include "regshift.secretFile" (dict "secret" .existingSecret "key" .key "path" "redis-url") | nindent 10 }}
          {{- end }}
          {{- end }}
          {{- with .Values.tls.existingSecret }}
          {{- include "regshift.secretFile" (dict "secret" . "key" "tls.crt") | nindent 10 }}
          {{- include "regshift.secretFile" (dict "secret" . "key" "tls.key") | nindent 10 }}
          {{- end }}
          {{- range .Values.secretFiles }}
          {{- include "regshift.secretFile" . | nindent 10 }}
          {{- end }}
    {{- if .Values.store.enabled }}
    - name: layers
      {{- if eq .Values.store.volume "emptyDir" }}
      emptyDir:
        sizeLimit: {{ .Values.store.size }}
      {{- else }}
      persistentVolumeClaim:
        claimName: {{ default (printf "%s-layers" (include "regshift.fullname" .)) .Values.store.existingClaim }}
      {{- end }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "regshift.probePort" -}}
port: http
{{- if .Values.tls.existingSecret }}
scheme: HTTPS
{{- end }}
{{- end }}

{{/* A source of the volume with settings: (dict "secret" … "key" … "path" …), where the path is optional. */}}
{{- define "regshift.secretFile" -}}
- secret:
    name: {{ .secret }}
    items:
      - key: {{ .key }}
        path: {{ default .key .path }}
{{- end }}
