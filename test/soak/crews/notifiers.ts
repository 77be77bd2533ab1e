import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../fuzz/random.ts';
import { rawRequest } from '../../support/raw-http.ts';
import {
  dockerRegistryPush,
  harborCloudEvent,
  harborWebhook,
  type SentNotification,
  zotEvent,
} from '../../support/registry-events.ts';
import { eventsSecret } from '../fleet.ts';
import type { Crew } from './crew.ts';

/** Milliseconds between two notifications. */
const pause = 400;

/** Registries that notify the replicas of pushes; some notifications are broken, and some have a wrong secret. */
export async function runNotifiers({ seed, ports, world, tally, signal }: Crew): Promise<void> {
  const random = new Random(seed);
  while (!signal.aborted) {
    const upstream = random.one(world.upstreams);
    const { name, now } = random.one(upstream.repositories);
    const [tag = 'latest', image] = random.one([...now.tags]);
    const { host } = new URL(upstream.registry.url);
    const pushed = { repository: name, tag, host, ...(image ? { digest: image.root } : {}) };
    const { headers, body } = random.one<SentNotification>([
      dockerRegistryPush(pushed),
      harborWebhook('PUSH_ARTIFACT', pushed),
      harborCloudEvent('harbor.artifact.pushed', pushed),
      zotEvent('zotregistry.image.updated', pushed),
    ]);
    const isBroken = random.oneIn(10);
    const isForeign = random.oneIn(10);
    const sent = isBroken ? body.subarray(0, random.below(body.length)) : body;
    const lines: [string, string][] = [
      ...Object.entries(headers),
      ['Authorization', `Bearer ${isForeign ? 'another-secret-of-someone' : eventsSecret}`],
      ['Content-Length', String(sent.length)],
    ];
    const path = `/events?route=${encodeURIComponent(`host=${upstream.host}`)}`;
    const request = {
      port: random.one(ports),
      method: 'POST',
      path,
      headers: lines,
      body: sent,
      deadline: 60_000,
    };
    const answer = await rawRequest(request);
    tally.count('events', answer.status);
    tally.checkRefusal('POST', path, answer);
    const expected = isForeign ? 401 : isBroken ? 400 : 202;
    if (answer.status !== expected)
      tally.addWrong(
        `a notification got ${answer.status} in place of ${expected}: ${new TextDecoder().decode(answer.body)}`,
      );
    await sleep(pause);
  }
}
