import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedisServer } from '../support/redis-server.ts';
import type { SoakFleet } from './fleet.ts';
import { servedFingerprint } from './tls-relay.ts';

/** Milliseconds within which a renewed certificate is served after SIGHUP. */
const renewedWithin = 5_000;

/**
 * Kills and restarts the Redis twice, and renews the certificate with a SIGHUP in each fifth of the time.
 * @returns complaints, as sentences.
 */
export async function disturb(fleet: SoakFleet, seconds: number): Promise<string[]> {
  const complaints: string[] = [];
  const part = (seconds * 1_000) / 10;
  await sleep(part);
  for (const number of [1, 2, 3, 4]) {
    complaints.push(...(await renewCertificate(fleet, number)));
    if (number % 2 === 1) await replaceRedis(fleet, part);
    else await sleep(part);
    await sleep(part);
  }
  return complaints;
}

/** Kills the Redis, and starts an empty one at its port after a while. */
async function replaceRedis(fleet: SoakFleet, away: number): Promise<void> {
  const { port } = fleet.redis;
  await fleet.redis.kill();
  await sleep(away);
  fleet.redis = await startRedisServer({ port });
}

async function renewCertificate(fleet: SoakFleet, number: number): Promise<string[]> {
  const { cert } = fleet.installCertificate(`certificate-${number}`);
  for (const { pid } of fleet.replicas) process.kill(pid, 'SIGHUP');
  const wanted = new X509Certificate(cert).fingerprint256;
  const port = fleet.replicas.find(({ name }) => name === 'tls')?.port ?? 0;
  for (const until = performance.now() + renewedWithin; performance.now() < until; ) {
    const served = await servedFingerprint(port, fleet.authority.cert).catch(() => undefined);
    if (served === wanted) return [];
    await sleep(50);
  }
  return [`certificate ${number} is not served ${renewedWithin} ms after SIGHUP`];
}
