import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BareWorkerd, startBareWorkerd } from '../bare-workerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../docker-registry.ts';
import { requirePeers } from '../programs.ts';
import { type RunningProxy, startProxy } from '../proxy.ts';
import { type Target, targetAt, Violation } from './target.ts';

/** A requirement of the specification on a registry, shown by a client's requests. */
export interface Case {
  /** The endpoint's number (distribution-spec 1.1, "Endpoints") and the requirement. */
  readonly clause: string;
  /** @throws Violation with the rule that does not hold. */
  readonly run: (target: Target) => Promise<void>;
  /** The rule that docker-registry 2.8.2, which is older than the specification, breaks. */
  readonly registryFails?: string;
}

const conforms = 'conforms';

/**
 * Runs each case directly on docker-registry 2.8.2, and through the proxy in both runtimes. The proxy keeps every rule
 * that the registry keeps, and shows the rules that the registry breaks as they are.
 */
export function conformance(title: string, cases: readonly Case[]): void {
  describe.skipIf(requirePeers('docker-registry'))(`${title}: the distribution specification`, () => {
    let registry: DockerRegistry;
    let node: RunningProxy;
    let worker: BareWorkerd;
    beforeAll(async () => {
      registry = await startDockerRegistry({ deleteEnabled: true });
      node = await startProxy(registry.url);
      worker = await startBareWorkerd({ REGSHIFT_UPSTREAM: registry.url });
    });
    afterAll(async () => {
      await worker?.stop();
      await node?.stop();
      await registry?.stop();
    });

    const indexed = cases.map((each, index) => ({ ...each, index, told: told(each) }));
    it.each(indexed)('$told', async ({ run, index, registryFails = conforms }) => {
      const at = (port: number, side: string) =>
        targetAt(`http://127.0.0.1:${port}`, `${side}/case-${index}`);
      expect(await outcome(run, at(registry.port, 'registry'))).toBe(registryFails);
      expect(await outcome(run, at(node.port, 'node'))).toBe(registryFails);
      expect(await outcome(run, at(worker.port, 'worker'))).toBe(registryFails);
    });
  });
}

function told({ clause, registryFails }: Case): string {
  return registryFails === undefined ? clause : `${clause} [docker-registry 2.8.2 fails: ${registryFails}]`;
}

async function outcome(run: Case['run'], target: Target): Promise<string> {
  try {
    await run(target);
    return conforms;
  } catch (error) {
    if (error instanceof Violation) return error.message;
    throw error;
  }
}
