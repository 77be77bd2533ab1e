import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { listen } from './listen.ts';

export interface SlowRegistry {
  readonly url: string;
  stop(): Promise<void>;
}

/** The samples, whose layers come in two halves with so many milliseconds between them. */
export async function startSlowLayers(milliseconds: number): Promise<SlowRegistry> {
  const samples = createSampleRegistry();
  const server = createServer(async ({ method = 'GET', url = '/' }, response) => {
    const answer = await samples.fetch(`http://sample.test${url}`, { method });
    const body = new Uint8Array(await answer.arrayBuffer());
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    // Configs are smaller than this, and layers larger.
    if (method === 'GET' && url.includes('/blobs/') && body.length > 1000) {
      response.write(body.subarray(0, body.length / 2));
      await sleep(milliseconds);
      response.end(body.subarray(body.length / 2));
    } else {
      response.end(body);
    }
  });
  return listen(server);
}
