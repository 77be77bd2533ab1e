import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectMeta } from 'kubernetes-types/meta/v1.js';

const root = join(import.meta.dirname, '../..');

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: ObjectMeta;
}

/** The objects of a kind; the caller names the type of the kind. */
export function ofKind<T>(objects: readonly KubernetesObject[], kind: string): (KubernetesObject & T)[] {
  return objects.filter((each): each is KubernetesObject & T => each.kind === kind);
}

/** Whether a selector matches labels. A selector without labels matches none here. */
export function isPartOf(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  const pairs = Object.entries(selector ?? {});
  return pairs.length > 0 && pairs.every(([key, value]) => labels[key] === value);
}

const operator = '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';

/** Kubernetes' own types, from its OpenAPI, and those of the Prometheus Operator: a file and the name in it. */
const typeOf: Readonly<Record<string, readonly [file: string, name: string]>> = {
  'apps/v1 Deployment': ['kubernetes-types/apps/v1.js', 'Deployment'],
  'apps/v1 DaemonSet': ['kubernetes-types/apps/v1.js', 'DaemonSet'],
  'v1 ConfigMap': ['kubernetes-types/core/v1.js', 'ConfigMap'],
  'v1 PersistentVolumeClaim': ['kubernetes-types/core/v1.js', 'PersistentVolumeClaim'],
  'v1 Pod': ['kubernetes-types/core/v1.js', 'Pod'],
  'v1 Service': ['kubernetes-types/core/v1.js', 'Service'],
  'v1 ServiceAccount': ['kubernetes-types/core/v1.js', 'ServiceAccount'],
  'policy/v1 PodDisruptionBudget': ['kubernetes-types/policy/v1.js', 'PodDisruptionBudget'],
  'networking.k8s.io/v1 Ingress': ['kubernetes-types/networking/v1.js', 'Ingress'],
  'networking.k8s.io/v1 NetworkPolicy': ['kubernetes-types/networking/v1.js', 'NetworkPolicy'],
  'monitoring.coreos.com/v1 PrometheusRule': [`${operator}/PrometheusRule.js`, 'IPrometheusRule'],
  'monitoring.coreos.com/v1 ServiceMonitor': [`${operator}/ServiceMonitor.js`, 'IServiceMonitor'],
};

/** @returns what the compiler says of objects, written as literals, where they have fields that their types lack. */
export function errorsOfTypes(objects: readonly KubernetesObject[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-manifests-'));
  const literals = objects.map((object, index) => {
    const [file, name] = typeOf[`${object.apiVersion} ${object.kind}`] ?? [];
    if (file === undefined) return `${object.apiVersion} ${object.kind} is not known to this test`;
    const from = JSON.stringify(join(root, 'node_modules', file));
    return `export const m${index}: import(${from}).${name} = ${JSON.stringify(object)};`;
  });
  try {
    writeFileSync(join(folder, 'manifests.ts'), literals.join('\n'));
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--ignoreConfig',
      '--module',
      'nodenext',
      '--types',
      '',
    ];
    execFileSync(join(root, 'node_modules/.bin/tsc'), [...options, join(folder, 'manifests.ts')], {
      encoding: 'utf8',
    });
    return '';
  } catch (error) {
    return (error as { stdout?: string }).stdout || String(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
