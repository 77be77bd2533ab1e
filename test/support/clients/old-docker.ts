import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestRequestHeaders } from '../old-clients.ts';
import { runProgram } from '../programs.ts';
import { type RawResponse, rawRequest } from '../raw-http.ts';
import { sha256Of } from '../sha256.ts';
import { readSignedSchema1 } from '../signed-schema1.ts';
import type { Client, ClientProgram } from './client.ts';

/**
 * Docker 1.9, which can no longer be installed: this client sends its requests, makes its checks, and extracts by tar.
 * It does not remove files, so it is no client for images that delete files of lower layers.
 */
export const oldDocker: ClientProgram = { name: 'Docker 1.9 by hand', programs: ['tar'], start };

async function start(): Promise<Client> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-old-docker-'));
  return {
    async pull(reference) {
      const [, port, name, , tag] = /^127\.0\.0\.1:(\d+)\/([^@:]+)([:@])(.+)$/.exec(reference) ?? [];
      const ask = (method: string, path: string) => request(Number(port), method, path);
      await ask('GET', '/v2/');
      const manifest = readSignedSchema1((await ask('GET', `/v2/${name}/manifests/${tag}`)).body);
      if (!(await manifest.verify())) throw new Error('The signature does not hold');
      const root = await mkdtemp(join(home, 'files-'));
      for (const { blobSum } of manifest.document.fsLayers.toReversed()) {
        const path = `/v2/${name}/blobs/${blobSum}`;
        const size = (await ask('HEAD', path)).header('Content-Length');
        const layer = (await ask('GET', path)).body;
        const isWhole = layer.length === Number(size) && (await sha256Of(layer)) === blobSum;
        if (!isWhole) throw new Error(`${path}: ${layer.length} bytes, not ${size}, or others`);
        // Docker 1.9 fails here; today's tar would decompress zstd.
        if (isZstd(layer)) throw new Error(`${path}: archive/tar: invalid tar header`);
        await writeFile(join(home, 'layer'), layer);
        await runProgram('tar', ['-C', root, '-xpf', 'layer'], home);
      }
      return root;
    },
    stop: () => rm(home, { recursive: true, force: true }),
  };
}

async function request(port: number, method: string, path: string): Promise<RawResponse> {
  const headers = manifestRequestHeaders['Docker 1.9.1'];
  const answer = await rawRequest({ port, method, path, headers });
  if (answer.status === 200) return answer;
  throw new Error(`${method} ${path}: ${answer.status} ${new TextDecoder().decode(answer.body)}`);
}

/** RFC 8878, 3.1.1. */
function isZstd(bytes: Uint8Array): boolean {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === 0xfd2fb528;
}
