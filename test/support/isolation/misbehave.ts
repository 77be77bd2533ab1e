import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Flap } from './flaps.ts';
import { type RegistryAnswer, refuse } from './registry-answers.ts';
import type { Repository } from './repository.ts';

interface Situation {
  readonly isHead: boolean;
  readonly repository: Repository | undefined;
  readonly user: number | undefined;
}

/** Sends the good response, or the result of a fault. */
export async function misbehave(
  flap: Flap | undefined,
  good: () => RegistryAnswer,
  response: ServerResponse,
  { isHead, repository, user }: Situation,
): Promise<void> {
  if (flap?.kind === 'reset') return void response.destroy();
  if (flap?.kind === 'stall') {
    await sleep(200 + Math.random() * 600);
    return void response.destroy();
  }
  const refused = repository && flap && refusalBy(flap, repository, user);
  const answer = refused ?? good();
  const { status, headers } = answer;
  const isWrong =
    flap?.kind === 'wrong' || (repository?.options.flaw === 'wrong-layers' && answer.body.length > 5_000);
  // The flipped bit makes no ASCII character of another: a digit of a marker would name another image.
  const body = isWrong
    ? answer.body.map((byte, at) => (at === answer.body.length >> 1 ? byte ^ 0x80 : byte))
    : answer.body;
  const bodyless = isHead || status === 304;
  response.writeHead(status, { ...headers, ...(status === 304 ? {} : { 'content-length': body.length }) });
  if (bodyless) return void response.end();
  const half = body.length >> 1;
  if (flap?.kind === 'truncate' && status === 200) {
    response.write(body.subarray(0, half), () => setTimeout(() => response.destroy(), 5));
    return;
  }
  if (body.length < 5_000) return void response.end(body);
  // A layer takes some time, so that requests meet in it.
  response.write(body.subarray(0, half));
  await sleep(5 + Math.random() * 25);
  response.end(body.subarray(half));
}

function refusalBy(
  { kind }: Flap,
  repository: Repository,
  user: number | undefined,
): RegistryAnswer | undefined {
  if (kind === 'error') return refuse(Math.random() < 0.5 ? 500 : 503, 'UNKNOWN', repository, user);
  if (kind === 'limit') return refuse(429, 'TOOMANYREQUESTS', repository, user, { 'retry-after': '1' });
  if (kind === 'quota') return refuse(403, 'DENIED', repository, user);
  return undefined;
}
