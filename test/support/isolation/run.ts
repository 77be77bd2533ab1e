import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../fuzz/random.ts';
import { type RawResponse, rawRequest } from '../raw-http.ts';
import { type Answered, type Ask, describe } from './ask.ts';
import { mixedV1, pullByV1 } from './asks-v1.ts';
import { asksAcross, asksOfV2 } from './asks-v2.ts';
import { createOracle } from './checks.ts';
import { changeSomething, deploy } from './events.ts';
import { isFinalRefusal } from './final-refusals.ts';
import { forgetHistory } from './forget-history.ts';
import { hideRepository } from './hide.ts';
import { Knowledge } from './knowledge.ts';
import { textOf } from './markers.ts';
import type { OracleSettings } from './oracle-access.ts';
import { aboutRepository } from './trace.ts';
import { userCount, type World } from './world.ts';

export interface RunOptions extends OracleSettings {
  readonly seed: number;
  readonly requests: number;
  /** The ports of the replicas: each request goes to any of them. */
  readonly ports: readonly number[];
  /** Ends the run early. */
  readonly signal?: AbortSignal;
  /** Gets each response that its client waits for. */
  readonly onAnswer?: (answered: Answered) => void;
}

export interface RunReport {
  readonly requests: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

const workers = 14;
const mostViolations = 200;

/**
 * Runs random clients, owners and faults for a number of requests. The seed and the number of a step select the step.
 */
export async function runIsolation(world: World, options: RunOptions): Promise<RunReport> {
  const knowledge = new Knowledge();
  const judge = createOracle(world, options);
  const outcomes: Record<string, number> = {};
  const violations: string[] = [];
  let [step, requests] = [0, 0];

  async function perform(ask: Ask): Promise<Answered> {
    requests += 1;
    const port = options.ports[requests % options.ports.length] ?? 0;
    const leave =
      ask.authorization === undefined
        ? undefined
        : world.watch.enter(ask.upstream.index, ask.authorization, ask.repository);
    const start = performance.now();
    const answer = await send(ask, port);
    const answered = { ask, start, end: performance.now(), answer };
    leave?.();
    const outcome = typeof answer === 'string' ? answer : String(answer.status);
    outcomes[`${ask.kind} ${outcome}`] = (outcomes[`${ask.kind} ${outcome}`] ?? 0) + 1;
    const about = ask.repository ? aboutRepository(ask.upstream.index, ask.repository.name) : '-';
    world.trace.note(
      about,
      `${describe(ask)} -> ${outcome} in ${Math.round(answered.end - start)} ms, to port ${port}`,
    );
    if (ask.leavesAfter !== undefined) return answered;
    options.onAnswer?.(answered);
    for (const [rule, complaint] of Object.entries(judge(answered))) {
      const story = `${rule}: ${describe(ask)}\n  ${complaint}\n${world.trace.last(about)}`;
      if (violations.length < mostViolations) violations.push(story);
    }
    if (isFinalRefusal(answered)) {
      world.refusedToAll.set(about, answered.end);
      world.trace.note(about, `the proxy knows that ${ask.repository?.name} is refused to everyone`);
    }
    knowledge.learn(world, answered);
    noteToken(answered);
    return answered;
  }

  function noteToken({ ask, answer }: Answered): void {
    const { kind, upstream, repository } = ask;
    if (kind !== 'token' || typeof answer === 'string' || answer.status !== 200 || ask.method === 'HEAD')
      return;
    const { token } = JSON.parse(textOf(answer.body)) as { token: string };
    // A request with a token in the place of a login gets a token without a user, so the registry tells the owner.
    const value = `Bearer ${token}`;
    const user = upstream.registry.logins.ownerOf(value)?.index;
    if (repository) knowledge.addToken({ upstream, repository, user, value });
  }

  async function take(random: Random, number: number): Promise<void> {
    const upstream = random.one(world.upstreams);
    if (number % 5 === 0) changeSomething(world, upstream, random);
    if (number % 23 === 0) {
      const { kind, user, repository } = upstream.flaps.begin(random, userCount, upstream.repositories);
      const scope = `user ${user ?? 'any'}, repository ${repository ?? 'any'}`;
      world.trace.note('', `! upstream ${upstream.index} begins: ${kind} for ${scope}`);
    }
    if (number % 200 === 0) forgetHistory(world);
    if (number % 20 === 0) {
      const tag = await deploy(world, upstream, random);
      await Promise.all(asksAcross(random, knowledge, upstream, tag).map(perform));
    } else if (number % 20 === 17) await hideRepository(random, world, upstream, perform);
    else if (number % 20 === 7) await pullByV1(random, world, knowledge, perform);
    else if (number % 10 === 3) {
      const ask = mixedV1(random, knowledge);
      if (ask) await perform(ask);
    } else await Promise.all(asksOfV2(random, world, knowledge).map(perform));
  }

  async function work(): Promise<void> {
    while (requests < options.requests && !options.signal?.aborted) {
      step += 1;
      await take(new Random(options.seed + step * 2_654_435), step);
    }
  }

  const end = new AbortController();
  const watching = world.stalls.watch(options.ports, end.signal);
  await Promise.all(Array.from({ length: workers }, work));
  end.abort();
  await watching;
  return { requests, outcomes, violations: [...violations, ...world.strays] };
}

async function send(ask: Ask, port: number): Promise<RawResponse | 'cut' | 'hung'> {
  const { method, path, headers, upstream } = ask;
  if (ask.leavesAfter !== undefined) return leaveEarly(ask, port, ask.leavesAfter);
  try {
    return await rawRequest({ port, method, path, headers, host: upstream.host, deadline: 30_000 });
  } catch (error) {
    return error instanceof Error && error.message.includes('no answer within') ? 'hung' : 'cut';
  }
}

async function leaveEarly(
  { method, path, headers, upstream }: Ask,
  port: number,
  after: number,
): Promise<'cut'> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const lines = [['Host', upstream.host] as const, ...headers].map((line) => `${line.join(': ')}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  socket.resume();
  await sleep(after);
  socket.destroy();
  return 'cut';
}
