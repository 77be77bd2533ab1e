import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../../converters/digest.ts';
import { samples } from '../../../src/sample-registry/samples.ts';
import type { Random } from '../../fuzz/random.ts';
import { manifestRequestHeaders, type OldClient } from '../old-clients.ts';
import { rawRequest } from '../raw-http.ts';
import { v1DaemonNames, v1Daemons } from '../v1-daemons.ts';
import { pullV1 } from '../v1-pull.ts';
import { v1OverSocket } from '../v1-raw.ts';
import type { V1Response } from '../v1-session.ts';

export interface MixedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

/** The server of the requests. */
export interface MixedTarget {
  readonly port: number;
  /** The Host header; the address by default. */
  readonly host?: string;
  /** Gets each response that its client waits for, and the error of a response that does not arrive whole. */
  readonly onAnswer?: (request: Omit<MixedRequest, 'body' | 'headers'>, answer: V1Response | Error) => void;
}

/** The digests that responses have named, by repository. */
export type Named = Map<string, readonly string[]>;

/** The number of requests by result: a status, `left` by the client, or `cut`. */
export type Outcomes = Record<string, number>;

const clients = Object.keys(manifestRequestHeaders) as OldClient[];
const names = samples.map(({ name }) => name);
const upload = new Uint8Array(60_000).map((_, at) => at % 251);

/**
 * Sends one request of the mix, or a pull by API v1, which is several requests. One client in eight leaves before the
 * response.
 * @returns the number of requests.
 */
export async function mixedRequest(
  random: Random,
  target: MixedTarget,
  named: Named,
  outcomes: Outcomes,
): Promise<number> {
  if (random.oneIn(40)) return pullByV1(random, target);
  const request = chooseRequest(random, named);
  const count = (outcome: string | number) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  if (random.oneIn(8)) {
    await leave(random, target, request);
    count('left');
    return 1;
  }
  const { onAnswer, ...at } = target;
  const given = await rawRequest({ ...request, ...at, deadline: 60_000 }).catch((error: Error) => error);
  onAnswer?.(request, given);
  const answer = given instanceof Error ? undefined : given;
  count(answer?.status ?? 'cut');
  const repository = /^\/v2\/(.+)\/manifests\//.exec(request.path)?.[1];
  if (!repository || answer?.status !== 200) return 1;
  named.set(
    repository,
    Buffer.from(answer.body)
      .toString('latin1')
      .match(/sha256:[0-9a-f]{64}/g) ?? [],
  );
  return 1;
}

function chooseRequest(random: Random, named: Named): MixedRequest {
  const repository = random.one(names);
  const own = manifestRequestHeaders[random.one(clients)];
  const dice = random.below(100);
  const get = (path: string, ...more: (readonly [string, string])[]) => ({
    method: random.oneIn(5) ? 'HEAD' : 'GET',
    path: `/v2/${repository}/${path}`,
    headers: [...own, ...more],
  });
  const digest = random.one(
    named.get(repository)?.length ? (named.get(repository) ?? []) : [unknown(random)],
  );
  if (dice < 40) return get(`manifests/${random.one(['latest', '1.0'])}`);
  if (dice < 45) return get(`manifests/${digest}`);
  if (dice < 58) return get(`blobs/${digest}`);
  if (dice < 70)
    return get(`blobs/${digest}`, ['Range', `bytes=${random.below(1_000)}-${random.oneIn(2) ? '' : 2_000}`]);
  if (dice < 75) return get(`manifests/${unknown(random)}`);
  if (dice < 80) return get(`blobs/${unknown(random)}`);
  if (dice < 85)
    return get(random.one(['manifests/latest', 'tags/list']), [
      'Authorization',
      `Basic ${btoa(`wrong${random.below(500)}:password`)}`,
    ]);
  if (dice < 88) return get('tags/list');
  if (dice < 90) return { method: 'GET', path: '/v2/_catalog', headers: own };
  return uploadRequest(random, repository);
}

function uploadRequest(random: Random, repository: string): MixedRequest {
  const path = `/v2/${repository}/blobs/uploads/`;
  const length = (body: Uint8Array) => [['Content-Length', String(body.length)]] as const;
  const nothing = new Uint8Array();
  return random.one<MixedRequest>([
    { method: 'POST', path, headers: length(nothing) },
    { method: 'PATCH', path: `${path}1234`, headers: length(upload), body: upload },
    { method: 'PUT', path: `${path}1234?digest=${digestOf(upload)}`, headers: length(nothing) },
  ]);
}

function unknown(random: Random): string {
  return digestOf(new TextEncoder().encode(String(random.below(2 ** 32))));
}

async function pullByV1(random: Random, { port, host, onAnswer }: MixedTarget): Promise<number> {
  const socket = v1OverSocket(port, host);
  let requests = 0;
  const http: typeof socket = async (method, path, headers) => {
    requests += 1;
    const answer = await socket(method, path, headers);
    onAnswer?.({ method, path }, answer);
    return answer;
  };
  const daemon = v1Daemons[random.one(v1DaemonNames)];
  // The daemon's reaction to a fault does not matter here.
  await pullV1({ daemon, http }, random.one(names)).catch(() => undefined);
  return requests;
}

async function leave(
  random: Random,
  { port, host = 'a' }: MixedTarget,
  { method, path, headers, body }: MixedRequest,
): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  const lines = headers.map((line) => `${line.join(': ')}\r\n`).join('');
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`);
  if (body) socket.write(body.subarray(0, random.below(body.length)));
  await sleep(random.below(25));
  socket.destroy();
}
