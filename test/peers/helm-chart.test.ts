import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import type { DaemonSet, Deployment } from 'kubernetes-types/apps/v1.js';
import type { ConfigMap, Container, Pod, PodSpec, Service } from 'kubernetes-types/core/v1.js';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readSettings } from '../../src/config/settings.ts';
import { loadYamlParser } from '../../src/runtime/node/files.ts';
import { portsOf as portsOfProgram } from '../../src/runtime/node/serve.ts';
import { chartFolder } from '../support/helm/chart-files.ts';
import { type ChartValue, readChartValues } from '../support/helm/chart-values.ts';
import {
  buildChartRenderer,
  type ChartRelease,
  type ChartRenderer,
  requireChartRenderer,
} from '../support/helm/render-chart.ts';
import { errorsOfTypes, isPartOf, type KubernetesObject, ofKind } from '../support/kubernetes-objects.ts';
import { listen } from '../support/listen.ts';
import { testSigningKey } from '../support/signing-key.ts';

const parseYaml = await loadYamlParser();

const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');

const upstream = 'https://registry.example';
const signingKey = { existingSecret: 'regshift' };
const label = { podSelector: { matchLabels: { role: 'client' } } };

/** Values that use all of the chart, as a Deployment. */
const everything = {
  image: { digest: `sha256:${'a'.repeat(64)}` },
  imagePullSecrets: [{ name: 'login' }],
  commonLabels: { team: 'images' },
  replicas: 3,
  config: {
    tagTtl: 60,
    cacheBytes: 134217728,
    shutdownDeadline: 600,
    routes: [
      { match: { path: 'hub/' }, upstream: 'https://docker.io', upstreamAuth: 'anonymous' },
      {
        match: { port: [5001, 5002] },
        upstream: 'https://quay.io',
        upstreamAuth: 'basic',
        upstreamUsername: 'puller',
        upstreamPasswordFile: 'quay-password',
        clientAuth: 'none',
      },
      { match: { port: 8080, path: 'older/' }, upstream: 'https://quay.io', upstreamAuth: 'anonymous' },
      { match: { port: 5001, path: 'old/' }, upstream: 'https://quay.io', upstreamAuth: 'anonymous' },
    ],
  },
  secretFiles: [{ secret: 'quay', key: 'password', path: 'quay-password' }],
  env: {
    LOG_LEVEL: 'debug',
    REGSHIFT_STALE: 10000,
    HTTPS_PROXY: { secretKeyRef: { name: 'proxy', key: 'url' } },
  },
  signingKey,
  valkey: { enabled: true },
  store: { enabled: true, accessModes: ['ReadWriteMany'], storageClass: 'nfs', bytes: 10000000000 },
  tls: { existingSecret: 'certificate' },
  service: { type: 'LoadBalancer', port: 443, nodePort: 30443, annotations: { a: 'b' } },
  ingress: {
    enabled: true,
    className: 'nginx',
    annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '0' },
    hosts: ['proxy.example.com'],
    tlsSecret: 'certificate',
  },
  networkPolicy: {
    enabled: true,
    from: [label],
    metricsFrom: [label],
    egress: [{ to: [label], ports: [{ port: 443 }] }],
  },
  metrics: {
    serviceMonitor: {
      enabled: true,
      labels: { release: 'prometheus' },
      relabelings: [{ action: 'labeldrop', regex: 'pod' }],
      metricRelabelings: [{ action: 'labeldrop', regex: 'pod' }],
    },
    prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
    grafanaDashboard: { enabled: true, annotations: { grafana_folder: 'Registries' } },
  },
  serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/images' } },
  annotations: { a: 'b' },
  podAnnotations: { a: 'b' },
  podLabels: { a: 'b' },
  livenessProbe: { periodSeconds: 20 },
  readinessProbe: { failureThreshold: 2 },
  tolerations: [{ operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  priorityClassName: 'system-cluster-critical',
  extraVolumes: [{ name: 'more', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'more', mountPath: '/more' }],
};

const modes: Readonly<Record<string, object>> = {
  'with an upstream alone': { config: { upstream } },
  'with all that can be off off': {
    config: { upstream },
    podDisruptionBudget: { enabled: false },
    metrics: { enabled: false },
    serviceAccount: { create: false },
    nodeSelector: null,
  },
  'with an upstream by a variable': { env: { REGSHIFT_UPSTREAM: upstream } },
  'of several replicas with a Redis': {
    config: { upstream },
    replicas: 2,
    signingKey,
    redis: { url: 'redis://redis.example:6379' },
  },
  'with the address of a Redis in a Secret': {
    config: { upstream },
    signingKey,
    redis: { existingSecret: 'redis' },
  },
  'as a DaemonSet with a port of each node': {
    kind: 'DaemonSet',
    config: { upstream },
    signingKey,
    hostPort: 5000,
    updateStrategy: { rollingUpdate: { maxUnavailable: '10%' } },
    store: { enabled: true, volume: 'emptyDir' },
  },
  'with a key by a variable': {
    config: { upstream },
    replicas: 2,
    env: { REGSHIFT_SIGNING_KEY: { secretKeyRef: { name: 'regshift', key: 'signing-key.pem' } } },
  },
  'with a store on one node': { config: { upstream }, store: { enabled: true } },
  'with a store on an existing claim': {
    config: { upstream },
    store: { enabled: true, existingClaim: 'mine' },
  },
  'with a store in a bucket': { config: { upstream, store: 's3://layers/regshift?region=eu-central-1' } },
  'with an Ingress for one host': {
    config: { upstream },
    ingress: { enabled: true, hosts: ['proxy.example.com'], tlsSecret: 'certificate' },
  },
  'with an Ingress for several hosts': {
    config: { upstream },
    ingress: { enabled: true, hosts: ['a.example.com', 'b.example.com'] },
  },
  'with a host and a port of each route': {
    config: {
      routes: [
        { match: { port: 5001 }, upstream },
        { match: { host: ['a.example.com', 'b.example.com'], port: 8080 }, upstream },
      ],
    },
  },
  'with everything': everything,
};

/** The texts of the files from Secrets in these tests, by their names. */
const secretTexts: Readonly<Record<string, string>> = {
  'signing-key.pem': JSON.stringify(testSigningKey),
  'redis-url': 'rediss://user:password@redis.example:6379',
  'quay-password': 'secret',
};

/** Values that are refused, and a part of the message. */
const refusals: readonly (readonly [values: object, message: string])[] = [
  [{}, 'config.upstream is not set'],
  [{ config: { upstream }, replicas: 2 }, 'signingKey.existingSecret is not set'],
  [{ config: { upstream }, kind: 'DaemonSet' }, 'signingKey.existingSecret is not set'],
  [{ config: { upstream }, valkey: { enabled: true } }, 'signingKey.existingSecret is not set'],
  [
    { config: { upstream }, signingKey, valkey: { enabled: true }, redis: { url: 'redis://redis.example' } },
    'redis.url and valkey.enabled are set',
  ],
  [
    { config: { upstream }, signingKey, replicas: 2, store: { enabled: true } },
    'store.accessModes does not contain ReadWriteMany',
  ],
  [
    { config: { upstream, store: 's3://layers?region=eu-central-1' }, store: { enabled: true } },
    'store.enabled and config.store are set',
  ],
  [
    { config: { upstream }, signingKey, redis: { url: 'redis://:secret@redis.example' } },
    'redis.url has a login',
  ],
  [{ config: { upstream }, metrics: { port: 8080 } }, 'metrics.port is 8080'],
  [{ config: { routes: [{ match: { port: [8080, 9090] }, upstream }] } }, 'metrics.port is 9090'],
  [
    {
      config: {
        routes: [
          { match: { port: 5001 }, upstream },
          { match: { port: [5002, 5003] }, upstream },
        ],
      },
    },
    'each route has another port than 8080',
  ],
  [{ config: { upstream }, hostPort: 5000 }, 'kind is not DaemonSet'],
  [{ config: { upstream }, ingress: { enabled: true } }, 'ingress.hosts is empty'],
  [
    { config: { upstream }, metrics: { enabled: false, serviceMonitor: { enabled: true } } },
    'metrics.enabled is false',
  ],
  [{ config: { upstream }, env: { PORT: 80 } }, 'env.PORT is set'],
  [
    { config: { upstream }, env: { A: { valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } } } },
    'env.A.valueFrom is set',
  ],
  [
    { config: { routes: [{ upstream }, { match: { port: 5000 }, upstream }] }, service: { port: 5000 } },
    'service.port is 5000, and a route has match.port 5000',
  ],
  [{ config: { upstream }, replica: 2 }, '(root): Additional property replica is not allowed'],
  [{ config: { upstream }, replicas: 'two' }, 'replicas: Invalid type. Expected: integer, given: string'],
  [{ config: { upstrem: upstream } }, 'config: Additional property upstrem is not allowed'],
  [{ config: { upstream, tagTtl: 'long' } }, 'config.tagTtl: Invalid type. Expected: integer, given: string'],
  [{ config: { upstream, port: 80 } }, 'config: Additional property port is not allowed'],
  [
    { config: { upstream, upstreamPassword: 'secret' } },
    'config: Additional property upstreamPassword is not allowed',
  ],
  [
    { config: { routes: [{ upstream, upstreamPassword: 'secret' }] } },
    'config.routes.0: Additional property upstreamPassword is not allowed',
  ],
  [{ config: { upstream }, kind: 'StatefulSet' }, 'kind must be one of the following'],
  [{ config: { upstream }, service: { nodePort: 80 } }, 'service.nodePort'],
  [{ config: { upstream }, ingress: { hosts: ['https://proxy.example.com'] } }, 'ingress.hosts.0'],
];

/** Another value for each that has a form, or no effect in the mode with everything. */
const changes: Readonly<Record<string, { readonly mode?: string; readonly other?: unknown }>> = {
  'image.tag': { mode: 'with an upstream alone' },
  'image.digest': { other: `sha256:${'b'.repeat(64)}` },
  'image.pullPolicy': { other: 'Always' },
  kind: { mode: 'with a key by a variable', other: 'DaemonSet' },
  config: { mode: 'with an upstream alone', other: { upstream: 'https://other.example' } },
  secretFiles: { other: [{ secret: 'other', key: 'quay-password' }] },
  'redis.url': { mode: 'of several replicas with a Redis' },
  'redis.existingSecret': { mode: 'with the address of a Redis in a Secret' },
  'redis.key': { mode: 'with the address of a Redis in a Secret' },
  'valkey.image.digest': { other: `sha256:${'b'.repeat(64)}` },
  'valkey.maxmemory': { other: '1gb' },
  'store.volume': { other: 'emptyDir' },
  'store.size': { other: '1Ti' },
  'store.accessModes': { other: ['ReadWriteMany', 'ReadWriteOnce'] },
  'service.type': { other: 'NodePort' },
  hostPort: { mode: 'as a DaemonSet with a port of each node' },
  'ingress.hosts': { other: ['other.example.com'] },
  'metrics.enabled': { mode: 'with an upstream alone' },
  'metrics.serviceMonitor.interval': { other: '1m' },
  'metrics.serviceMonitor.scrapeTimeout': { other: '5s' },
};

describe.skipIf(requireChartRenderer())('the chart in deploy/helm', () => {
  let home: string;
  let renderer: ChartRenderer;
  const releases = new Map<string, ChartRelease>();
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-chart-'));
    renderer = await buildChartRenderer(home);
    const rendered = renderer.render(Object.values(modes));
    for (const [index, mode] of Object.keys(modes).entries()) releases.set(mode, successful(rendered[index]));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  const objectsOf = (mode: string) => releases.get(mode)?.objects ?? [];
  const renderOne = (values: object) => renderer.render([values])[0];

  it('renders objects that Kubernetes and the Prometheus Operator take, with no field that there is not', () => {
    const objects = [...releases.values()].flatMap((each) => each.objects);
    expect(objects.length).toBeGreaterThan(50);
    expect(errorsOfTypes(objects)).toBe('');
    for (const [kind, Model] of Object.entries({ ServiceMonitor, PrometheusRule })) {
      const own = objects.filter((each) => each.kind === kind);
      expect(own).toHaveLength(1);
      for (const each of own) new Model(JSON.parse(JSON.stringify(each))).validate();
    }
  });

  it('renders the same of numbers as floats and as text', () => {
    expect(renderer.render(Object.values(modes), 'text')).toEqual([...releases.values()]);
  });

  describe.each(Object.keys(modes))('%s', (mode) => {
    it('names each object once, in the namespace, with the labels of the chart', () => {
      const objects = objectsOf(mode);
      const names = objects.map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
      expect(names).toEqual([...new Set(names)]);
      for (const { metadata } of objects) {
        expect(metadata?.namespace).toBe('images');
        expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'Helm' });
      }
    });

    it('has Services, policies and budgets that find its pods and their ports', () => {
      const objects = objectsOf(mode);
      const workloads = workloadsOf(objects);
      const podOf = (labels: Labels) => workloads.find((each) => isPartOf(labels, each.labels));
      for (const { spec } of ofKind<Service>(objects, 'Service')) {
        const targets = spec?.ports?.map(({ targetPort }) => targetPort) ?? [];
        expect(portsOf(podOf(spec?.selector))).toEqual(expect.arrayContaining(targets));
      }
      for (const { spec } of ofKind<NetworkPolicy>(objects, 'NetworkPolicy')) {
        const open = (spec?.ingress ?? []).flatMap(({ ports = [] }) => ports.map(({ port }) => port));
        expect(portsOf(podOf(spec?.podSelector?.matchLabels))).toEqual(expect.arrayContaining(open));
      }
      for (const { spec } of ofKind<PodDisruptionBudget>(objects, 'PodDisruptionBudget')) {
        expect(podOf(spec?.selector?.matchLabels)).toBeDefined();
      }
      for (const { selector, labels } of workloads) expect(isPartOf(selector, labels)).toBe(true);
    });

    it('confines and bounds each container, and mounts volumes that there are', () => {
      const hooks = ofKind<Pod>(objectsOf(mode), 'Pod').map(({ spec }) => spec);
      for (const spec of [...workloadsOf(objectsOf(mode)).map(({ pod }) => pod), ...hooks]) {
        expect(spec).toMatchObject({
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        });
        const volumes = spec?.volumes?.map(({ name }) => name) ?? [];
        for (const { securityContext, resources, volumeMounts = [] } of spec?.containers ?? []) {
          expect(securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          expect(resources?.limits?.memory).toBeDefined();
          expect(volumes).toEqual(expect.arrayContaining(volumeMounts.map(({ name }) => name)));
        }
      }
    });

    it('sets regshift so that it starts, listens at the ports of the pod, and has time to end', () => {
      const { pod, container } = regshiftOf(objectsOf(mode));
      const settings = settingsOf(objectsOf(mode));
      const { REGSHIFT_SHUTDOWN_GRACE: grace, REGSHIFT_SHUTDOWN_DEADLINE: deadline } = settings;
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(grace + deadline);
      const listening = [...portsOfProgram(settings), settings.REGSHIFT_METRICS_PORT];
      expect(container.ports?.map(({ containerPort }) => containerPort).toSorted()).toEqual(
        listening.filter((each) => each !== undefined).toSorted(),
      );
    });

    it('asks regshift where it answers, with the scheme that it speaks', () => {
      const { container } = regshiftOf(objectsOf(mode));
      const scheme = settingsOf(objectsOf(mode)).REGSHIFT_TLS_CERT ? 'HTTPS' : undefined;
      const probes = [container.livenessProbe, container.readinessProbe].map((probe) => probe?.httpGet);
      expect(probes).toMatchObject([
        { path: '/healthz', port: 'http' },
        { path: '/readyz', port: 'http' },
      ]);
      expect(probes.map((probe) => probe?.scheme)).toEqual([scheme, scheme]);
    });
  });

  it('passes settings on by the file, by variables and by files from Secrets', () => {
    const settings = settingsOf(objectsOf('with everything'));
    expect(settings).toMatchObject({
      REGSHIFT_TAG_TTL: 60,
      REGSHIFT_STALE: 10000,
      REGSHIFT_CACHE_BYTES: 134217728,
      REGSHIFT_STORE: { kind: 'file', path: '/var/lib/regshift' },
      REGSHIFT_STORE_BYTES: 10000000000,
      REGSHIFT_TLS_CERT: '/etc/regshift/tls.crt',
      LOG_LEVEL: 'debug',
    });
    expect(settings.routes.map(({ settings }) => settings.REGSHIFT_UPSTREAM_PASSWORD)).toContain('secret');
  });

  it('runs Valkey with the security context of the pods, which a platform such as OpenShift assigns', () => {
    const contextOf = (podSecurityContext: object) => {
      const values = { config: { upstream }, signingKey, valkey: { enabled: true }, podSecurityContext };
      return workloadsOf(successful(renderOne(values)).objects).map(({ pod }) => pod.securityContext);
    };
    const assigned = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
    expect(contextOf({ runAsUser: null, runAsGroup: null, fsGroup: null })).toEqual([assigned, assigned]);
  });

  it('writes each label once, whichever values have it', () => {
    const { objects } = successful(
      renderOne({
        ...everything,
        commonLabels: { team: 'common', 'app.kubernetes.io/name': 'other' },
        podLabels: { team: 'pods', 'app.kubernetes.io/instance': 'other' },
        metrics: {
          serviceMonitor: { enabled: true, labels: { team: 'metrics' } },
          prometheusRule: { enabled: true, labels: { team: 'metrics' } },
          grafanaDashboard: { enabled: true, labels: { team: 'metrics' } },
        },
      }),
    );
    const teamsOf = (kind: string) =>
      ofKind<KubernetesObject>(objects, kind).map((each) => each.metadata?.labels?.team);
    expect(teamsOf('Service')).toEqual(['common', 'common', 'common']);
    expect([...teamsOf('ServiceMonitor'), ...teamsOf('PrometheusRule')]).toEqual(['metrics', 'metrics']);
    const [pods] = workloadsOf(objects);
    expect(pods?.labels).toMatchObject({ team: 'pods', ...pods?.selector });
    expect(pods?.selector).toEqual({
      'app.kubernetes.io/name': 'regshift',
      'app.kubernetes.io/instance': 'regshift',
    });
    successful(renderOne({ config: { upstream }, commonLabels: null, podLabels: null }));
  });

  it('shares a Redis by a Secret, an address or a Valkey of the release', () => {
    const addressOf = (mode: string) => JSON.stringify(settingsOf(objectsOf(mode)).REGSHIFT_REDIS_URL);
    expect(addressOf('with the address of a Redis in a Secret')).toContain(secretTexts['redis-url']);
    expect(addressOf('of several replicas with a Redis')).toContain('redis://redis.example:6379');
    expect(addressOf('with everything')).toContain('redis://regshift-cache:6379');
    const services = ofKind<Service>(objectsOf('with everything'), 'Service');
    expect(services.map(({ metadata }) => metadata?.name)).toContain('regshift-cache');
  });

  it('names the public address of an Ingress with one host', () => {
    const urlOf = (mode: string) => settingsOf(objectsOf(mode)).REGSHIFT_PUBLIC_URL?.href;
    expect(urlOf('with an Ingress for one host')).toBe('https://proxy.example.com/');
    for (const mode of ['with an Ingress for several hosts', 'with everything'])
      expect(urlOf(mode)).toBeUndefined();
  });

  it('replaces pods without a gap, except where the store is a volume for one node', () => {
    const strategyOf = (mode: string) =>
      ofKind<Deployment>(objectsOf(mode), 'Deployment').map(({ spec }) => spec?.strategy)[0];
    const surge = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
    expect(strategyOf('with an upstream alone')).toEqual(surge);
    expect(strategyOf('with everything')).toEqual(surge);
    expect(strategyOf('with a store on one node')).toEqual({ type: 'Recreate' });
  });

  it('replaces pods when a setting changes', () => {
    const sumOf = (config: object) => {
      const { objects } = successful(renderOne({ config: { upstream, ...config } }));
      return workloadsOf(objects)[0]?.annotations?.['checksum/config'];
    };
    expect(sumOf({})).toMatch(/^[0-9a-f]{64}$/);
    expect(sumOf({})).toBe(sumOf({}));
    expect(sumOf({ tagTtl: 5 })).not.toBe(sumOf({}));
  });

  it('has the alerts and the dashboard as they are in deploy/', () => {
    const objects = objectsOf('with everything');
    const [rule] = ofKind<{ spec: unknown }>(objects, 'PrometheusRule');
    expect(rule?.spec).toEqual(parse(read('deploy/prometheus/regshift.rules.yaml')));
    const [dashboard] = ofKind<ConfigMap>(objects, 'ConfigMap').filter(
      ({ metadata }) => metadata?.labels?.grafana_dashboard === '1',
    );
    expect(dashboard?.data?.['regshift.json']).toBe(read('deploy/grafana/regshift.json'));
  });

  it('runs pods as the plain manifests do', () => {
    const plain = parseAllDocuments(read('deploy/kubernetes/deployment.yaml')).map(
      (document) => document.toJS() as KubernetesObject,
    );
    const values = { config: { upstream }, replicas: 2, signingKey, valkey: { enabled: true } };
    const { objects } = successful(renderOne(values));
    const [ours, theirs] = [objects, plain].map((each) => comparable(each));
    expect(ours).toEqual(theirs);
    const sidecar = parseAllDocuments(read('deploy/kubernetes/sidecar.yaml')).map(
      (document) => document.toJS() as KubernetesObject,
    );
    const { ports: _, ...chart } = confinement(regshiftOf(objects).container);
    expect(confinement(regshiftOf(sidecar).container)).toMatchObject(chart);
  });

  it.each(refusals)('refuses %j', (values, message) => {
    expect(renderOne(values)).toEqual({ error: expect.stringContaining(message) });
  });

  it('renders something else with another value of each path', () => {
    const changed = readChartValues(read(`${chartFolder}/values.yaml`)).map((value) => {
      const { mode = 'with everything', other = otherThan(value) } = changes[value.path] ?? {};
      const values = structuredClone(modes[mode] ?? {});
      setAt(values, value.path.split('.'), other);
      return { path: value.path, before: releases.get(mode), values };
    });
    const rendered = renderer.render(changed.map(({ values }) => values));
    const same = changed.filter(({ before }, index) =>
      isDeepStrictEqual(successful(rendered[index]), before),
    );
    expect(same.map(({ path }) => path)).toEqual([]);
  });

  it('asks for /v2/ in the test of a release, at a host that a route takes', async () => {
    const pingOf = (mode: string) => ofKind<Pod>(objectsOf(mode), 'Pod')[0]?.spec?.containers[0];
    const url = { name: 'URL', value: 'http://regshift:8080/v2/' };
    expect(pingOf('with an upstream alone')?.env).toEqual([url]);
    const host = { name: 'HOST_HEADER', value: 'a.example.com' };
    expect(pingOf('with a host and a port of each route')?.env).toEqual([url, host]);
    const [, ...args] = pingOf('with an upstream alone')?.command ?? [];
    const ping = (URL: string, variables = {}) =>
      promisify(execFile)(process.execPath, args, { env: { URL, ...variables } });
    const statusOf: Readonly<Record<string, number>> = { '/200': 200, '/401': 401, '/503': 503 };
    const server = await listen(
      createServer(({ url = '', headers }, response) => {
        const status = headers.host === host.value ? 200 : (statusOf[url] ?? 404);
        response.writeHead(status).end();
      }),
    );
    try {
      for (const path of ['/200', '/401']) await ping(`${server.url}${path}`);
      await ping(`${server.url}/v2/`, { [host.name]: host.value });
      await expect(ping(`${server.url}/503`)).rejects.toMatchObject({ code: 1 });
    } finally {
      await server.stop();
    }
  });

  it('tells at the end how to reach it', () => {
    const notesOf = (mode: string) => releases.get(mode)?.notes;
    expect(notesOf('with an upstream alone')).toContain('port-forward service/regshift 8080:8080');
    expect(notesOf('as a DaemonSet with a port of each node')).toContain('127.0.0.1:5000/team/app');
    expect(notesOf('with everything')).toContain('docker pull proxy.example.com/team/app');
  });
});

/** A value of the same type that no mode has. */
function otherThan({ type, path, default: value }: ChartValue): unknown {
  if (type === 'bool') return !(valueAt(everything, path.split('.')) ?? value);
  if (type === 'int') return 31_999;
  if (type === 'string') return 'other';
  return type === 'list' ? [{ name: 'other' }] : { other: 'other' };
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], values);
}

function setAt(values: object, [key = '', ...inner]: readonly string[], value: unknown): void {
  const at = values as Record<string, unknown>;
  if (inner.length === 0) at[key] = value;
  else {
    at[key] ??= {};
    setAt(at[key] as object, inner, value);
  }
}

type Labels = Readonly<Record<string, string>> | undefined;

function successful(rendered: ChartRelease | { readonly error: string } | undefined): ChartRelease {
  if (rendered === undefined || 'error' in rendered) throw new Error(rendered?.error);
  return rendered;
}

function workloadsOf(objects: readonly KubernetesObject[]) {
  const workloads = [
    ...ofKind<Deployment>(objects, 'Deployment'),
    ...ofKind<DaemonSet>(objects, 'DaemonSet'),
  ];
  return workloads.map(({ spec }) => ({
    selector: spec?.selector.matchLabels,
    labels: spec?.template.metadata?.labels ?? {},
    annotations: spec?.template.metadata?.annotations,
    pod: spec?.template.spec as PodSpec,
  }));
}

/** The names and the numbers of the ports of a pod. */
function portsOf(workload: { readonly pod: PodSpec } | undefined): (string | number | undefined)[] {
  const ports = workload?.pod.containers.flatMap((each) => each.ports ?? []) ?? [];
  return ports.flatMap(({ name, containerPort }) => [name, containerPort]);
}

function regshiftOf(objects: readonly KubernetesObject[]): { pod: PodSpec; container: Container } {
  for (const { pod } of workloadsOf(objects)) {
    const container = pod.containers.find(({ name }) => name === 'regshift');
    if (container) return { pod, container };
  }
  throw new Error('there is no container called regshift');
}

/** The settings that the program reads in the pod: its variables, and the files of its volumes. */
function settingsOf(objects: readonly KubernetesObject[]) {
  const { pod, container } = regshiftOf(objects);
  const files = new Map<string, string>();
  const sources = pod.volumes?.find(({ name }) => name === 'settings')?.projected?.sources ?? [];
  for (const { configMap, secret } of sources) {
    const maps = ofKind<ConfigMap>(objects, 'ConfigMap').filter(
      ({ metadata }) => metadata?.name === configMap?.name,
    );
    for (const { data = {} } of maps) {
      for (const [name, text] of Object.entries(data)) files.set(`/etc/regshift/${name}`, text);
    }
    for (const { path } of secret?.items ?? []) files.set(`/etc/regshift/${path}`, secretTexts[path] ?? path);
  }
  const variables = Object.fromEntries(
    (container.env ?? []).map(({ name, value, valueFrom }) => {
      return [name, value ?? secretTexts[valueFrom?.secretKeyRef?.key ?? '']];
    }),
  );
  const readFile = (path: string, beside = '/') => {
    const text = files.get(resolve(dirname(beside), path));
    if (text === undefined) throw new Error(`no file ${path}`);
    return text;
  };
  const settings = readSettings(variables, readFile, parseYaml);
  if ('problems' in settings) throw new Error(JSON.stringify(settings.problems));
  return settings.settings;
}

/** The parts of a release that do not depend on names, labels and settings. */
function comparable(objects: readonly KubernetesObject[]) {
  const { pod, container } = regshiftOf(objects);
  const cache = workloadsOf(objects).find(({ pod }) => pod.containers.some(({ name }) => name === 'valkey'));
  const { replicas, strategy } = ofKind<Deployment>(objects, 'Deployment')[0]?.spec ?? {};
  return {
    replicas,
    strategy,
    grace: pod.terminationGracePeriodSeconds,
    securityContext: pod.securityContext,
    spread: pod.topologySpreadConstraints?.map(({ labelSelector: _, ...each }) => each),
    regshift: { ...confinement(container), image: container.image },
    cache: { ...cache?.pod, nodeSelector: undefined },
    keyMode: pod.volumes?.flatMap(({ secret, projected }) => secret?.defaultMode ?? projected?.defaultMode),
    budget: ofKind<PodDisruptionBudget>(objects, 'PodDisruptionBudget').map(
      ({ spec }) => spec?.maxUnavailable,
    ),
    policies: ofKind<NetworkPolicy>(objects, 'NetworkPolicy').map(({ spec }) => spec?.policyTypes),
  };
}

function confinement({ securityContext, livenessProbe, readinessProbe, resources, ports }: Container) {
  const clientPorts = ports?.filter(({ name }) => name !== 'metrics');
  return { securityContext, livenessProbe, readinessProbe, resources, ports: clientPorts };
}
