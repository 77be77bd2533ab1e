import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../fuzz/random.ts';
import { type Answer, type RequestHeaders, readAnswer } from '../../support/app.ts';
import { manifestRequestHeaders, type OldClient } from '../../support/old-clients.ts';
import { headersByDigest } from '../../support/pull.ts';
import { type CheckedPull, pullChecked } from '../../support/pull-checked.ts';
import { newPusher, oldPushers, type PushSimulator } from '../../support/push-simulators.ts';
import { type PushTree, treeOfSample, treeOfShape } from '../../support/push-tree.ts';
import { rawRequest } from '../../support/raw-http.ts';
import type { Crew } from './crew.ts';

const workers = 2;
/** Names are used again, with all that the replicas remember of them. */
const names = 24;
/** Milliseconds after which a replica no longer remembers a fault: the TTL, with some room. */
const forgotten = 2_000;
/** Milliseconds for a response on a busy machine. */
const deadline = 60_000;

interface Plan {
  /** The path of the registry in front of the names. */
  readonly path: string;
  readonly pusher: PushSimulator;
  readonly tree: PushTree;
}

interface Place {
  readonly port: number;
  /** The name for the client, like `docker/by/n1`, and for the registry. */
  readonly name: string;
  readonly stored: string;
}

/** Pushes of old and new engines that the registry takes in another form only. */
async function plans(): Promise<Plan[]> {
  const [image, index] = [await treeOfSample('sample/oci'), treeOfShape('attestations')];
  const [schema1, schema2] = [await treeOfSample('sample/schema1'), await treeOfSample('sample/schema2')];
  const byOld = ['oci', 'today'].flatMap((path) =>
    oldPushers.map((pusher) => ({ path, pusher, tree: schema1 })),
  );
  return [
    { path: 'docker', pusher: newPusher, tree: image },
    { path: 'docker', pusher: newPusher, tree: index },
    { path: 'oci', pusher: newPusher, tree: schema2 },
    ...byOld,
  ];
}

/**
 * Pushes images while a tenth of the registry's responses are wrong, pushes them again to the healthy registry, where it
 * must succeed, and pulls them with a check of each byte.
 */
export async function runPushers({ seed, ports, pushes, tally, signal }: Crew): Promise<void> {
  const all = await plans();
  let rounds = 0;

  async function round(random: Random): Promise<void> {
    rounds += 1;
    const { path, pusher, tree } = random.one(all);
    const stored = `by/n${rounds % names}`;
    const name = `${path}/${stored}`;
    const place = () => ({ port: random.one(ports), name, stored });
    const upstream = pushes[path];
    if (!upstream) throw new Error(`no registry ${path}`);
    upstream.faulty.add(stored);
    await pusher.push(place().port, name, 'latest', tree).then(
      () => tally.count('push', 'done beside faults'),
      (error: Error) => {
        tally.count('push', 'given up');
        const reason = silentRefusal(error.message);
        if (reason) tally.silent.push(`push of ${name}: ${reason}\n${upstream.story(stored)}`);
      },
    );
    upstream.faulty.delete(stored);
    await sleep(forgotten);
    const what = `${pusher.name} at ${name}`;
    try {
      await pusher.push(place().port, name, 'latest', tree);
      const client = random.one(['Docker 1.9.1', 'Docker 1.13.1', 'containerd HEAD'] as const);
      const pulled = await pullBack(place(), client);
      tally.count('push', 'pulled');
      if ('refused' in pulled) throw new Error(`the pull by ${client} got ${pulled.refused}`);
    } catch (error) {
      tally.count('push', 'wrong');
      tally.addWrong(`${what}: ${error instanceof Error ? error.message : error}\n${upstream.story(stored)}`);
    }
    if (random.oneIn(2)) await remove(place());
  }

  /** Deletes the image through the proxy, as a cleanup does. */
  async function remove({ port, name, stored }: Place): Promise<void> {
    const { registry } = pushes[name.split('/', 1)[0] ?? ''] ?? {};
    for (const kind of ['manifests', 'blobs'] as const) {
      const own = [...(registry?.[kind].keys() ?? [])].filter((key) => key.startsWith(`${stored}@`));
      for (const key of own) {
        const path = `/v2/${name}/${kind}/${key.slice(stored.length + 1)}`;
        const answer = await rawRequest({ port, method: 'DELETE', path, headers: [], deadline });
        tally.count('delete', answer.status);
        if (answer.status !== 202) tally.addWrong(`DELETE ${path}: ${answer.status}`);
      }
    }
  }

  const worker = async (_: unknown, number: number) => {
    const random = new Random(seed + number);
    while (!signal.aborted) await round(random);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

/** The refusal in an engine's error, if it has no body. A push gets the registry's own words, also those of a gateway. */
function silentRefusal(message: string): string | undefined {
  const [, status = '', body = ''] = /: (\d{3}) (.*)$/s.exec(message) ?? [];
  // The check of a blob or manifest is a HEAD, which has no body.
  return Number(status) < 400 || message.startsWith('check') || body.trim() !== '' ? undefined : message;
}

/** Pulls over a socket, with a check of each byte. */
function pullBack({ port, name }: Place, client: OldClient): Promise<CheckedPull> {
  const send = async (method: string, path: string, headers: RequestHeaders = []): Promise<Answer> => {
    const lines = Array.isArray(headers) ? headers : Object.entries(headers);
    const {
      status,
      headers: given,
      body,
    } = await rawRequest({ port, method, path, headers: lines, deadline });
    const whole = body.length > 0 ? new Uint8Array(body) : null;
    return readAnswer(new Response(whole, { status, headers: new Headers([...given]) }));
  };
  const app = {
    get: (path: string, headers?: RequestHeaders) => send('GET', path, headers),
    head: (path: string, headers?: RequestHeaders) => send('HEAD', path, headers),
  };
  const headers = {
    byTag: manifestRequestHeaders[client],
    byDigest: (mediaType: string) => headersByDigest(client, mediaType),
  };
  // The tables of the replicas are small, and the Redis dies.
  return pullChecked(app, name, headers, true);
}
