import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Deployment } from 'kubernetes-types/apps/v1.js';
import type { Container, PodSpec, Service } from 'kubernetes-types/core/v1.js';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { fileVariables } from '../../src/config/setting-files.ts';
import { readSettings, settingNames } from '../../src/config/settings.ts';
import { version } from '../../src/version.ts';
import { makeCertificate } from '../support/certificate.ts';
import { errorsOfTypes, isPartOf, type KubernetesObject, ofKind } from '../support/kubernetes-objects.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';

const root = join(import.meta.dirname, '../..');
const deploy = (file: string) => readFileSync(join(root, 'deploy', file), 'utf8');
const image = `regshift:${version}`;

const manifestFiles = readdirSync(join(root, 'deploy/kubernetes')).filter((file) => file.endsWith('.yaml'));
const manifestsOf = (file: string) =>
  parseAllDocuments(deploy(`kubernetes/${file}`)).map((document) => document.toJS() as KubernetesObject);

describe.each(manifestFiles)('deploy/kubernetes/%s', (file) => {
  const manifests = manifestsOf(file);
  const deployments = ofKind<Deployment>(manifests, 'Deployment');
  const services = ofKind<Service>(manifests, 'Service');
  const own = deployments.map(podOf).filter(({ spec }) => spec.containers.some(isRegshift));

  test('is what Kubernetes’ types allow, without a field that there is not', () => {
    expect(errorsOfTypes(manifests)).toBe('');
  });

  test('a Service finds pods, and ports that they have', () => {
    for (const { spec } of services) {
      const pods = deployments.map(podOf).filter(({ labels }) => isPartOf(spec?.selector, labels));
      expect(pods).toHaveLength(1);
      const ports = pods.flatMap(({ spec }) => spec.containers.flatMap((each) => each.ports ?? []));
      expect(ports.map(({ name }) => name)).toEqual(
        expect.arrayContaining(spec?.ports?.map(({ targetPort }) => targetPort) ?? []),
      );
    }
  });

  test('what selects pods selects those of the file', () => {
    const budgets = ofKind<PodDisruptionBudget>(manifests, 'PodDisruptionBudget').map(
      ({ spec }) => spec?.selector?.matchLabels,
    );
    const selected = deployments.map(({ spec }) => spec?.selector.matchLabels);
    const policies = ofKind<NetworkPolicy>(manifests, 'NetworkPolicy').flatMap(({ spec }) => [
      spec?.podSelector?.matchLabels,
      ...(spec?.ingress ?? []).flatMap(({ from = [] }) => from.map((each) => each.podSelector?.matchLabels)),
    ]);
    for (const labels of [...budgets, ...selected, ...policies]) {
      expect(deployments.map(podOf).some((pod) => isPartOf(labels, pod.labels))).toBe(true);
    }
  });

  test('every pod and container is confined, bounded and asked whether it is ready', () => {
    for (const { spec } of deployments.map(podOf)) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        // Or a Service called regshift would set variables that stop the start.
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const container of spec.containers) {
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { requests: { cpu: expect.anything(), memory: expect.anything() } },
          readinessProbe: expect.anything(),
        });
        expect(container.resources?.limits?.memory).toBeDefined();
      }
    }
  });

  test('regshift is set by settings that there are, and by volumes that are mounted', () => {
    expect(own).toHaveLength(1);
    for (const { spec } of own) {
      const { env = [], volumeMounts = [], image: name } = regshiftOf(spec);
      expect(name).toBe(image);
      expect(settingNames).toEqual(expect.arrayContaining(env.map((each) => each.name)));
      const volumes = spec.volumes?.map((each) => each.name) ?? [];
      expect(volumes).toEqual(expect.arrayContaining(volumeMounts.map((each) => each.name)));
      const key = env.find((each) => each.name === 'REGSHIFT_SIGNING_KEY')?.value;
      expect(volumeMounts.some(({ mountPath }) => key?.startsWith(`${mountPath}/`))).toBe(true);
      const cache = env.find((each) => each.name === 'REGSHIFT_REDIS_URL')?.value;
      if (cache) expect(services.map(({ metadata }) => metadata?.name)).toContain(new URL(cache).hostname);
    }
  });

  test('regshift answers where it is probed', async () => {
    for (const { spec } of own) {
      const { livenessProbe, readinessProbe, ports } = regshiftOf(spec);
      for (const probe of [livenessProbe, readinessProbe]) {
        expect(ports?.map(({ name }) => name)).toContain(probe?.httpGet?.port);
        const response = await fetch(`http://127.0.0.1:${proxy.port}${probe?.httpGet?.path}`);
        expect(response.status).toBe(200);
      }
    }
  });
});

let proxy: RunningProxy;
beforeAll(async () => {
  proxy = await startProxy('http://127.0.0.1:9');
});
afterAll(() => proxy?.stop());

test('deploy/docker/compose.yaml runs the same image, set by settings that there are, on this machine only', () => {
  const { services, secrets } = parse(deploy('docker/compose.yaml'));
  const { regshift, ...others } = services;
  expect(regshift).toMatchObject({ image, read_only: true, cap_drop: ['ALL'], init: true });
  expect(settingNames).toEqual(expect.arrayContaining(Object.keys(regshift.environment)));
  expect(Object.keys(secrets)).toEqual(regshift.secrets);
  for (const variable of ['REGSHIFT_UPSTREAM', 'REGSHIFT_REDIS_URL']) {
    expect(Object.keys(others)).toContain(new URL(regshift.environment[variable]).hostname);
  }
  for (const service of Object.values<{ ports?: string[] }>({ regshift, ...others })) {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
  expect(Object.keys(others)).toEqual(expect.arrayContaining(regshift.depends_on));
});

test('deploy/docker/.env names the project of compose.yaml, which docs/operations.md removes', () => {
  const [, project] = /^COMPOSE_PROJECT_NAME=(.+)$/m.exec(deploy('docker/.env')) ?? [];
  const { volumes } = parse(deploy('docker/compose.yaml'));
  expect(Object.keys(volumes)).toContain('layers');
  const operations = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  expect(operations).toContain(`docker volume rm ${project}_layers`);
});

test('deploy/systemd/regshift.env lets only its own machine in, as the README and the unit say', () => {
  expect(deploy('systemd/regshift.env')).toMatch(/^HOST=127\.0\.0\.1$/m);
  expect(deploy('systemd/regshift.service')).toContain('# regshift then listens on 127.0.0.1:8080');
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  expect(readme).toContain(
    'they listen on 127.0.0.1, until you change `HOST` in `regshift.env`, or `ports` in',
  );
});

test('deploy/systemd/regshift.env sets settings that there are', () => {
  const named = [...deploy('systemd/regshift.env').matchAll(/^#?([A-Z_]+)=/gm)].map((match) => match[1]);
  expect(named.length).toBeGreaterThan(3);
  expect([...settingNames, 'NODE_EXTRA_CA_CERTS']).toEqual(expect.arrayContaining(named));
});

test('deploy/systemd/regshift.service gives each credential to a setting that there is', () => {
  const unit = deploy('systemd/regshift.service');
  const loaded = [...unit.matchAll(/^#?LoadCredential=([a-z-]+):\/etc\/regshift\/\S+$/gm)].map(
    ([, name]) => name,
  );
  const given = [...unit.matchAll(/^#?Environment=([A-Z_]+)=%d\/([a-z-]+)$/gm)];
  expect(loaded).toEqual(['signing-key', 'tls-key', 'htpasswd', 'upstream-password']);
  expect(given.map(([, , name]) => name)).toEqual(loaded);
  const files = fileVariables.map((variable) => `${variable}_FILE`);
  expect([...settingNames, ...files]).toEqual(expect.arrayContaining(given.map(([, variable]) => variable)));
});

test('supervisors wait longer than an orderly stop takes by default', () => {
  const settings = readSettings({}, () => '');
  if ('problems' in settings) throw new Error(JSON.stringify(settings.problems));
  const { REGSHIFT_SHUTDOWN_GRACE: grace, REGSHIFT_SHUTDOWN_DEADLINE: deadline } = settings.settings;
  const [, inUnit] = /^TimeoutStopSec=(\d+)$/m.exec(deploy('systemd/regshift.service')) ?? [];
  const { regshift } = parse(deploy('docker/compose.yaml')).services;
  for (const seconds of [inUnit, regshift.stop_grace_period]) {
    expect(Number.parseInt(seconds, 10)).toBeGreaterThan(grace + deadline);
  }
});

test('deploy/systemd/regshift.service has the lines for a port below 1024, after those that they replace', () => {
  const unit = deploy('systemd/regshift.service');
  for (const line of ['AmbientCapabilities', 'CapabilityBoundingSet'].map((each) => `${each}=`)) {
    expect(unit.indexOf(`#${line}CAP_NET_BIND_SERVICE\n`)).toBeGreaterThan(unit.indexOf(`\n${line}\n`));
  }
  expect(unit.indexOf('#PrivateUsers=no\n')).toBeGreaterThan(unit.indexOf('\nPrivateUsers=yes\n'));
});

describe('the health check of the image', () => {
  const [, command = ''] = /^HEALTHCHECK [^\n]*\\\n {2}CMD (.*)$/m.exec(deploy('docker/Dockerfile')) ?? [];
  const [, ...argv] = JSON.parse(command) as string[];

  async function isHealthy(environment: Record<string, string>): Promise<boolean> {
    const env = { PATH: process.env.PATH, ...environment };
    return promisify(execFile)(process.execPath, argv, { env }).then(
      () => true,
      () => false,
    );
  }

  async function start(variables: Record<string, string>) {
    const { port, stop } = await startProxy('sample', variables);
    onTestFinished(stop);
    return { ...variables, PORT: String(port) };
  }

  test.each(['127.0.0.1', '127.0.0.2', '0.0.0.0', '::'])(
    'reaches a process that listens on %s',
    async (HOST) => {
      const environment = await start({ HOST });
      expect(await isHealthy(environment)).toBe(true);
      expect(await isHealthy({ ...environment, HOST: '127.0.0.3' })).toBe(['0.0.0.0', '::'].includes(HOST));
    },
  );

  test('speaks TLS where the process does, and takes the certificate for another name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regshift-health-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { cert, key } = makeCertificate(folder, 'proxy', 90, 'DNS:registry.test');
    const tls = { REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key };
    expect(await isHealthy(await start({ HOST: '127.0.0.1', ...tls }))).toBe(true);
  });
});

test('a Valkey without a password takes connections of regshift, also from an image with protected mode', () => {
  // Redis and Valkey refuse other machines by default (protected-mode in their valkey.conf); Docker's own images do not.
  const { valkey } = parse(deploy('docker/compose.yaml')).services;
  const deployments = ofKind<Deployment>(manifestsOf('deployment.yaml'), 'Deployment');
  const containers = deployments.flatMap((each) => podOf(each).spec.containers);
  const pod = containers.find(({ name }) => name === 'valkey');
  for (const args of [valkey.command, pod?.args]) expect(args.join(' ')).toContain('--protected-mode no');
});

test('all files name the same images of others', () => {
  const files = [...manifestFiles.map((file) => `kubernetes/${file}`), 'docker/compose.yaml'];
  const names = new Set(files.flatMap((file) => deploy(file).match(/image: docker\.io\/\S+/g) ?? []));
  expect([...names].map((name) => name.replace(/:[^:]+$/, '')).toSorted()).toEqual([
    'image: docker.io/library/registry',
    'image: docker.io/valkey/valkey',
  ]);
});

function podOf({ spec }: Deployment): { spec: PodSpec; labels: Readonly<Record<string, string>> } {
  const { metadata, spec: pod } = spec?.template ?? {};
  if (!pod) throw new Error('a deployment has a pod');
  return { spec: pod, labels: metadata?.labels ?? {} };
}

function isRegshift({ name }: Container): boolean {
  return name === 'regshift';
}

function regshiftOf({ containers }: PodSpec): Container {
  const container = containers.find(isRegshift);
  if (!container) throw new Error('there is no container called regshift');
  return container;
}
