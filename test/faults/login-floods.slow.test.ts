import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BareWorkerd } from '../support/bare-workerd.ts';
import { startNodeProcess } from '../support/node-process.ts';

/** "secret" at bcrypt's usual cost of 10: some 100 ms of processor time in JavaScript. */
const hash = '$2b$10$.IWcGDVPOlAIVd3bOmptpePsCRYJxiC1WgI8/Pb768V5pNIRqUAFq';

interface Result {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/** A separate process, as `npm start` runs it, and a connection for each request. */
describe('300 wrong logins at once', () => {
  let proxy: BareWorkerd;
  beforeAll(async () => {
    proxy = await startNodeProcess({
      REGSHIFT_UPSTREAM_AUTH: 'anonymous',
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: ['alice', 'bob', 'carol'].map((name) => `${name}:${hash}`).join('\n'),
    });
  }, 30_000);
  afterAll(() => proxy?.stop());

  function ask(path: string, login?: string, from = '127.0.0.1'): Promise<Result> {
    const headers = login === undefined ? {} : { authorization: `Basic ${btoa(login)}` };
    return new Promise((resolve, reject) => {
      const onAnswer = (response: IncomingMessage) => {
        const { statusCode: status = 0, headers } = response;
        response.on('error', reject).on('end', () => resolve({ status, retryAfter: headers['retry-after'] }));
        response.resume();
      };
      request(
        { host: '127.0.0.1', port: proxy.port, path, headers, agent: false, localAddress: from },
        onAnswer,
      )
        .on('error', reject)
        .end();
    });
  }

  /** Sends the logins, and waits until the queue is full. */
  async function flood() {
    const full = Promise.withResolvers<Result>();
    let compared = 0;
    const responses = Array.from({ length: 300 }, async (_, index) => {
      const response = await ask('/v2/', `alice:guess-${Math.random()}-${index}`);
      if (response.status === 401) compared += 1;
      if (response.status === 503) full.resolve(response);
      return response;
    });
    let over = false;
    const all = Promise.all(responses).finally(() => {
      over = true;
    });
    // A refusal shows that the queue is full.
    expect(await Promise.race([full.promise, all])).toEqual({ status: 503, retryAfter: '5' });
    return { all, compared: () => compared, isOver: () => over };
  }

  it('do not block other requests of the process', async () => {
    const { all, compared, isOver } = await flood();
    let healthy = 0;
    const before = compared();
    for (let turn = 0; turn < 200 && !isOver(); turn += 1) {
      expect((await ask('/healthz')).status).toBe(200);
      healthy += 1;
    }
    const meanwhile = compared() - before;
    // With comparisons on the main thread, there would be at most one response per comparison.
    expect(healthy).toBeGreaterThan(4 * meanwhile + 20);
    const statuses = (await all).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 503]));
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(100);
  }, 60_000);

  // Other systems have a single loopback address.
  it.runIf(process.platform === 'linux')(
    'do not delay a user who has logged in before, and delay a user from another address only a little',
    async () => {
      expect((await ask('/v2/', 'bob:secret')).status).toBe(200);
      const { all, compared, isOver } = await flood();
      const before = compared();
      for (let turn = 0; turn < 10; turn += 1) expect((await ask('/v2/', 'bob:secret')).status).toBe(200);
      const afterBob = compared();
      expect((await ask('/v2/', 'carol:secret', '127.0.0.2')).status).toBe(200);
      const afterCarol = compared();
      expect(isOver()).toBe(false);
      // 32 logins wait: bob's ten requests take a few comparisons, and carol's login has its turn after two.
      expect(afterBob - before).toBeLessThan(10);
      expect(afterCarol - afterBob).toBeLessThan(10);
      await all;
    },
    60_000,
  );
});
