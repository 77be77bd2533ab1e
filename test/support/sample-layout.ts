import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readManifest } from '../../converters/read.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';

/**
 * Writes a sample and all that it names as files of an OCI layout, with the manifest as `manifest.json` beside it.
 * @param layers whether layers are written too.
 */
export async function writeSampleLayout(folder: string, sample: string, layers = true): Promise<string> {
  const { fetch } = createSampleRegistry();
  const get = async (path: string) => {
    const answer = await fetch(`http://sample.test/v2/sample/${sample}/${path}`);
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : undefined;
  };
  const put = (path: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  const blob = (digest: string) => `blobs/${digest.replace(':', '/')}`;

  async function below(bytes: Uint8Array): Promise<void> {
    const model = readManifest(bytes);
    if (model.kind === 'image') {
      const config = model.target.kind === 'config' ? [model.target.descriptor] : [];
      for (const { digest } of [...config, ...(layers ? model.dependencies : [])]) {
        put(blob(digest), (await get(`blobs/${digest}`)) ?? new Uint8Array());
      }
      return;
    }
    for (const { digest, attestation } of model.dependencies) {
      const child = (await get(`manifests/${digest}`)) ?? (await get(`blobs/${digest}`)) ?? new Uint8Array();
      put(blob(digest), child);
      if (!attestation) await below(child);
    }
  }

  const root = (await get('manifests/latest')) ?? new Uint8Array();
  put('manifest.json', root);
  await below(root);
  return join(folder, 'manifest.json');
}
