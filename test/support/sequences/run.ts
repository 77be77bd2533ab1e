import type { RawResponse } from '../raw-http.ts';
import type { Call, Exchange, Side } from './call.ts';
import { type Difference, differencesOf } from './differences.ts';
import { followStored } from './follow-stored.ts';
import { explained } from './rules.ts';
import { type Peers, routePath, type SequenceSettings, startProxies } from './settings.ts';
import { callsOf, type Step } from './steps.ts';
import { twinComplaints } from './twins.ts';
import { createWorld, type World } from './world.ts';

export interface Sequence {
  readonly settings: SequenceSettings;
  readonly steps: readonly Step[];
}

/** The counts of a run after all its sequences. */
export interface RunReport {
  requests: number;
  /** How often each rule was needed. */
  readonly rules: Record<string, number>;
}

/** The first response of a sequence that no rule explains. */
export class SequenceFailure extends Error {
  override readonly name = 'SequenceFailure';
  readonly stepsRun: number;

  constructor(message: string, stepsRun: number) {
    super(message);
    this.stepsRun = stepsRun;
  }
}

let sequences = 0;

/**
 * Runs a sequence at a registry and through the proxy in front of an equal one, request by request.
 * @throws SequenceFailure.
 */
export async function runSequence(
  { settings, steps }: Sequence,
  peers: Peers,
  report: RunReport,
): Promise<void> {
  sequences += 1;
  const { straight, behind } = await peers.registries(settings.schema1);
  const proxies = await startProxies(settings, behind.url, peers);
  const root = `s${sequences}`;
  const repositories = [`${root}/a`, `${root}/b`, `${root}/a/c`];
  const prefix = settings.byPath ? `${routePath}/` : '';
  const sides = {
    straight: { prefix: '', repositories, pushed: [] },
    through: { prefix, repositories, pushed: [] },
  };
  const { pushed } = sides.through;
  const world = createWorld({ settings, straight, behind, ports: proxies.ports, repositories, pushed });
  try {
    for (const [at, step] of steps.entries()) {
      const complaint = await perform(step, sides, world, report);
      if (complaint) throw new SequenceFailure(`${JSON.stringify(step)}\n${complaint}`, at + 1);
    }
    const left = (await world.lostDigest()) ?? (await world.registriesDiffer());
    if (left) throw new SequenceFailure(`after the last step: ${left}`, steps.length);
  } catch (error) {
    await peers.discard(settings.schema1);
    throw error;
  } finally {
    await proxies.stop();
  }
}

/** Performs a step on both sides. @returns the first difference that no rule explains. */
async function perform(
  step: Step,
  sides: Record<'straight' | 'through', Side>,
  world: World,
  report: RunReport,
): Promise<string | undefined> {
  const { ports } = world;
  const [left, right] = [callsOf(sides.straight, step), callsOf(sides.through, step)];
  const replica = step.replica % ports.length;
  let [next, other] = [left.next(), right.next()];
  while (!next.done && !other.done) {
    const [straightCall, call] = [next.value, other.value];
    const exchange = { call, straightCall, replica, ...(await world.ask(straightCall, call, replica)) };
    report.requests += 1;
    const complaint = await complaintOf(exchange, world, report);
    if (complaint) return complaint;
    await followStored(exchange, world);
    [next, other] = [left.next(exchange.straight), right.next(exchange.through)];
  }
  return next.done === other.done ? undefined : 'one side has more requests than the other';
}

async function complaintOf(exchange: Exchange, world: World, report: RunReport): Promise<string | undefined> {
  const differences = differencesOf(exchange, world.settings.byPath);
  const left = await explained(exchange, differences, world, (rule) => {
    report.rules[rule] = (report.rules[rule] ?? 0) + 1;
  });
  const twins = world.settings.twins ? await twinComplaints(exchange, world) : [];
  world.remember(exchange);
  const all = [...left.map(lineOf), ...twins];
  if (all.length === 0) return undefined;
  const { call, straight, through } = exchange;
  const says = ({ status, headers, body }: RawResponse) =>
    `${status}\n    ${headers.map((line) => line.join(': ')).join('\n    ')}\n    ${new TextDecoder().decode(body).slice(0, 400)}`;
  return `${all.join('\n')}\n${textOfCall(call)}\n  straight: ${says(straight)}\n  through: ${says(through)}`;
}

function lineOf({ of, straight, through }: Difference): string {
  return `${of}: straight ${straight.slice(0, 300)}, through ${through.slice(0, 300)}`;
}

function textOfCall({ method, path, headers = [], body }: Call): string {
  const lines = headers.map((line) => line.join(': ')).join('; ');
  return `${method} ${path} (${lines})${body ? ` with ${body.length} bytes` : ''}`;
}
