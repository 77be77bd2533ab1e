import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { freePort } from '../support/daemon.ts';
import { pullStubbornly } from '../support/faults/stubborn-client.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { largeBlob, type SampleServer, startSampleServer } from '../support/sample-server.ts';

let upstream: SampleServer;

beforeAll(async () => {
  upstream = await startSampleServer();
});

afterAll(() => upstream.stop());

it('clients that retry finish their pulls from a proxy that is killed and restarted under load', async () => {
  const port = await freePort();
  const start = () => startNodeProcess({ REGSHIFT_UPSTREAM: upstream.url, PORT: String(port) });
  let proxy = await start();
  const pulls = Array.from({ length: 12 }, () => pullStubbornly(port, largeBlob.path));
  try {
    for (let deaths = 0; deaths < 3; deaths += 1) {
      await sleep(20);
      await proxy.stop();
      await sleep(100);
      proxy = await start();
    }
    const pulled = await Promise.all(pulls);
    expect(pulled.map(({ bytes }) => digestOf(bytes))).toEqual(pulls.map(() => largeBlob.digest));
    // At least one pull was interrupted.
    expect(pulled.reduce((sum, { attempts }) => sum + attempts, 0)).toBeGreaterThan(pulls.length);
  } finally {
    await proxy.stop();
  }
}, 60_000);

it('clients that retry finish their pulls after an outage of upstream', async () => {
  const port = await freePort();
  const proxy = await startNodeProcess({ REGSHIFT_UPSTREAM: upstream.url, PORT: String(port) });
  const { port: upstreamPort } = new URL(upstream.url);
  try {
    const pulls = Array.from({ length: 6 }, () => pullStubbornly(port, largeBlob.path));
    await sleep(20);
    await upstream.stop();
    await sleep(1_500);
    upstream = await startSampleServer(Number(upstreamPort));
    const pulled = await Promise.all(pulls);
    expect(pulled.map(({ bytes }) => digestOf(bytes))).toEqual(pulls.map(() => largeBlob.digest));
    expect(Math.min(...pulled.map(({ attempts }) => attempts))).toBeGreaterThan(1);
  } finally {
    await proxy.stop();
  }
}, 60_000);
