import * as z from 'zod/mini';
import { bytesPattern } from '../../../src/byte-text.ts';
import { documentSchema } from '../../../src/config/document.ts';
import { keyOf } from '../../../src/config/keys.ts';
import type { ChartValue } from './chart-values.ts';

/** Settings that the chart sets by values of its own. */
const ownSettings = [
  'HOST',
  'PORT',
  'REGSHIFT_METRICS_PORT',
  'REGSHIFT_TLS_CERT',
  'REGSHIFT_TLS_KEY',
  'REGSHIFT_SIGNING_KEY',
  'REGSHIFT_SIGNING_KEY_FILE',
  'REGSHIFT_REDIS_URL',
  'REGSHIFT_REDIS_URL_FILE',
  'REGSHIFT_STORE_BYTES',
];

/** Settings whose value is always a secret. A ConfigMap is no place for them; their siblings with File may be there. */
const secretSettings = [
  'REGSHIFT_UPSTREAM_PASSWORD',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AZURE_CLIENT_SECRET',
  'REGSHIFT_EVENTS_SECRET',
];

const object = z.record(z.string(), z.unknown());
const texts = z.record(z.string(), z.string());
const list = z.array(object);
const port = z.int().check(z.minimum(1), z.maximum(65_535));
/** A port, or 0 for none. */
const portOrNone = z.int().check(z.minimum(0), z.maximum(65_535));
const nodePort = z.union([z.literal(0), z.int().check(z.minimum(30_000), z.maximum(32_767))]);
const fileName = z.string().check(z.regex(/^[A-Za-z0-9._-]+$/));
/** A quantity of Kubernetes for bytes, like 12Gi. */
const quantity = z.string().check(z.regex(/^[0-9]+(\.[0-9]+)?([KMGTPE]i|[kMGTPE])?$/));
/** A duration of Prometheus, like 1m30s. */
const duration = z.string().check(z.regex(/^([0-9]+(ms|s|m|h))+$/));
/** A name of DNS, without scheme, port and path. */
const host = z
  .string()
  .check(z.regex(/^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/));
const digest = z.string().check(z.regex(/^(sha256:[0-9a-f]{64})?$/));
const image = { repository: z.string().check(z.minLength(1)), tag: z.string(), digest };

const values = z.strictObject({
  /** Helm gives it to a chart that is a part of another one. */
  global: object,
  image: z.strictObject({ ...image, pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']) }),
  imagePullSecrets: list,
  nameOverride: z.string(),
  fullnameOverride: z.string(),
  commonLabels: texts,
  kind: z.enum(['Deployment', 'DaemonSet']),
  replicas: z.int().check(z.minimum(0)),
  updateStrategy: object,
  config: object,
  secretFiles: z.array(
    z.strictObject({ secret: z.string().check(z.minLength(1)), key: fileName, path: z.optional(fileName) }),
  ),
  env: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), object])),
  signingKey: z.strictObject({ existingSecret: z.string(), key: fileName }),
  redis: z.strictObject({ url: z.string(), existingSecret: z.string(), key: fileName }),
  valkey: z.strictObject({
    enabled: z.boolean(),
    image: z.strictObject(image),
    maxmemory: z.string().check(z.regex(/^[0-9]+(kb|mb|gb)?$/)),
    resources: object,
  }),
  store: z.strictObject({
    enabled: z.boolean(),
    bytes: z.union([z.int().check(z.minimum(1)), z.string().check(z.regex(new RegExp(bytesPattern)))]),
    volume: z.enum(['claim', 'emptyDir']),
    existingClaim: z.string(),
    size: quantity,
    storageClass: z.string(),
    accessModes: z
      .array(z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany']))
      .check(z.minLength(1)),
  }),
  tls: z.strictObject({ existingSecret: z.string() }),
  service: z.strictObject({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
    port,
    nodePort,
    annotations: texts,
  }),
  hostPort: portOrNone,
  ingress: z.strictObject({
    enabled: z.boolean(),
    className: z.string(),
    annotations: texts,
    hosts: z.array(host),
    tlsSecret: z.string(),
  }),
  networkPolicy: z.strictObject({ enabled: z.boolean(), from: list, metricsFrom: list, egress: list }),
  podDisruptionBudget: z.strictObject({ enabled: z.boolean(), maxUnavailable: z.int().check(z.minimum(1)) }),
  metrics: z.strictObject({
    enabled: z.boolean(),
    port,
    serviceMonitor: z.strictObject({
      enabled: z.boolean(),
      labels: texts,
      interval: duration,
      scrapeTimeout: duration,
      relabelings: list,
      metricRelabelings: list,
    }),
    prometheusRule: z.strictObject({ enabled: z.boolean(), labels: texts }),
    grafanaDashboard: z.strictObject({ enabled: z.boolean(), labels: texts, annotations: texts }),
  }),
  serviceAccount: z.strictObject({ create: z.boolean(), annotations: texts, name: z.string() }),
  annotations: texts,
  podAnnotations: texts,
  podLabels: texts,
  podSecurityContext: object,
  securityContext: object,
  resources: object,
  livenessProbe: object,
  readinessProbe: object,
  nodeSelector: texts,
  tolerations: list,
  affinity: object,
  topologySpreadConstraints: list,
  priorityClassName: z.string(),
  extraVolumes: list,
  extraVolumeMounts: list,
});

interface Schema {
  $schema?: string;
  title?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  description?: string;
}

/**
 * The JSON Schema of the chart's values. `config` has the settings of the file that `REGSHIFT_CONFIG` names, without
 * those that the chart sets itself and without secrets.
 * @param described the values with their comments, which become descriptions.
 * @returns draft 7, the latest that each version of Helm 3 reads (its validator was xeipuuv/gojsonschema).
 */
export function valuesSchema(described: readonly ChartValue[]): Schema {
  const schema = z.toJSONSchema(values, { io: 'input', target: 'draft-7' }) as Schema;
  const config = z.toJSONSchema(documentSchema, { io: 'input', target: 'draft-7' }) as Schema;
  const { properties: routeKeys = {} } = config.properties?.routes?.items ?? {};
  for (const key of ['$schema', ...[...ownSettings, ...secretSettings].map(keyOf)]) {
    delete config.properties?.[key];
    delete routeKeys[key];
  }
  delete config.$schema;
  schema.properties = { ...schema.properties, config };
  // An absent value is that of values.yaml, which Helm adds before it validates.
  withoutRequired(schema);
  for (const { path, description } of described) {
    const property = path.split('.').reduce<Schema | undefined>((at, key) => at?.properties?.[key], schema);
    if (property === undefined) throw new Error(`the schema lacks ${path}`);
    property.description = description;
  }
  return { ...schema, title: 'Values of the chart regshift' };
}

/** Removes `required` from the objects of the chart's own values. Items of lists have no defaults and keep it. */
function withoutRequired(schema: Schema): void {
  delete schema.required;
  for (const property of Object.values(schema.properties ?? {})) withoutRequired(property);
}
