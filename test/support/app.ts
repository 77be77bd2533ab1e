import { createApp } from '../../src/app.ts';
import { compareInPlace } from '../../src/auth/compare-password.ts';
import { createMemoryBudget } from '../../src/cache/memory-budget.ts';
import { createClock } from '../../src/clock.ts';
import { compose } from '../../src/compose/compose.ts';
import type { RuntimePlatform } from '../../src/compose/platform.ts';
import { readSettings } from '../../src/config/settings.ts';
import type { Facts, Level } from '../../src/observability/log.ts';
import { noMetrics } from '../../src/observability/metrics.ts';
import type { Fetch } from '../../src/upstream/client.ts';
import { runtimeCodec } from './runtime-codec.ts';
import { testSigningKey } from './signing-key.ts';
import { upstreamUrl } from './upstream-url.ts';

export { upstreamUrl } from './upstream-url.ts';

/** Header names and values as a client writes them, or a record where order and repetition do not matter. */
export type RequestHeaders = readonly (readonly [name: string, value: string])[] | Record<string, string>;

export interface SpecError {
  readonly code: string;
  readonly message: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** A response, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  header(name: string): string | null;
  text(): string;
  /** The one error of a body in the form of the distribution spec. @throws Error for any other body. */
  error(): SpecError;
}

/** The parts of a request without its headers. */
export interface Sent {
  readonly body?: Uint8Array | ReadableStream<Uint8Array>;
  /** The client's signal: aborted when the client leaves. */
  readonly signal?: AbortSignal;
  /** The client's address, as the runtime knows it. */
  readonly clientAddress?: string;
}

/** The program as a test calls it. A path may be a full URL, where the host matters. */
export interface TestApp {
  get(path: string, headers?: RequestHeaders): Promise<Answer>;
  head(path: string, headers?: RequestHeaders): Promise<Answer>;
  send(method: string, path: string, headers?: RequestHeaders, more?: Sent): Promise<Answer>;
  /** Lets time pass on all clocks of the program. */
  advance(seconds: number): void;
  /**
   * Moves the wall clock of the program alone: back (negative) or forward, as someone sets it, or forward, as it seems
   * when the machine has slept, since the monotonic clock then stands still.
   */
  moveWallClock(seconds: number): void;
  /** Waits until the work that no client waits for is done. */
  settled(): Promise<void>;
  readonly logged: readonly { readonly level: Level; readonly message: string; readonly facts?: Facts }[];
}

/** The host of every request's URL; nothing listens there. */
const clientUrl = 'http://regshift.test';

/**
 * Creates the program without a server, in front of the embedded samples, or of `fetch` in place of the network.
 * @param variables the settings of an operator.
 * @param platform the differences from an ordinary runtime.
 */
export function testApp(
  variables: Record<string, string> = {},
  fetch?: Fetch,
  platform: Partial<RuntimePlatform> = {},
): TestApp {
  const settings = readSettings({
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
    ...(fetch ? { REGSHIFT_UPSTREAM: upstreamUrl } : {}),
    ...variables,
  });
  if ('problems' in settings) throw new Error(JSON.stringify(settings.problems));
  let monotonic = 0;
  let wall = Date.UTC(2026, 0, 1);
  const pending = new Set<Promise<unknown>>();
  const logged: { level: Level; message: string; facts?: Facts }[] = [];
  const app = createApp(
    compose(settings.settings, {
      fetch: fetch ?? noNetwork,
      clock: createClock({ monotonic: () => monotonic, wall: () => wall }),
      wallClock: () => new Date(wall),
      log: (level, message, facts) => logged.push({ level, message, ...(facts ? { facts } : {}) }),
      metrics: noMetrics,
      mostRequests: Number.POSITIVE_INFINITY,
      signingKeyText: async (text) => text,
      signingKeyStep: 'run npx regshift keygen',
      codec: runtimeCodec,
      layerBytes: Number.POSITIVE_INFINITY,
      subrequests: Number.POSITIVE_INFINITY,
      memory: createMemoryBudget(settings.settings.REGSHIFT_CACHE_BYTES ?? 67_108_864),
      fixedLength: (stream) => stream,
      forwardBody: (body) => body,
      background: (work) => {
        pending.add(work);
        const done = () => pending.delete(work);
        work.then(done, done);
      },
      comparePassword: compareInPlace,
      ...platform,
    }),
  );
  const send = async (method: string, path: string, headers: RequestHeaders = {}, more: Sent = {}) => {
    // Repeated header lines reach the program joined by a comma, as every runtime joins them.
    const lines = Array.isArray(headers) ? headers : Object.entries(headers);
    const joined = new Headers();
    for (const [name, value] of lines) joined.append(name, value);
    const url = /^https?:/.test(path) ? path : `${clientUrl}${path}`;
    const question = more.body ? undefined : questionOf(method, url, joined);
    const leaving = more.signal && (() => more.signal as AbortSignal);
    const asking = question
      ? {
          cacheKey: question,
          identity: { 'x-forwarded-for': joined.get('x-forwarded-for') ?? undefined },
          authorization: joined.get('authorization') ?? undefined,
          peerAddress: more.clientAddress,
          clientLeft: leaving,
        }
      : undefined;
    const held = asking && (app.responseCache.lookup(asking) ?? (await app.responseCache.revalidate(asking)));
    if (held && 'response' in held) {
      const { headers, body } = held.response;
      held.finished({ bytes: body.length, aborted: false });
      return readAnswer(new Response(method === 'HEAD' ? null : own(body), { headers }));
    }
    // `duplex` is needed for streams; the types of fetch do not have it.
    const init: RequestInit & { duplex: 'half' } = { method, headers: joined, duplex: 'half', ...sent(more) };
    return readAnswer(
      await app.fetch(new Request(url, init), {
        cacheKey: question,
        started: held,
        peerAddress: more.clientAddress,
      }),
    );
  };
  return {
    get: (path, headers) => send('GET', path, headers),
    head: (path, headers) => send('HEAD', path, headers),
    send,
    advance: (seconds) => {
      monotonic += seconds * 1000;
      wall += seconds * 1000;
    },
    moveWallClock: (seconds) => {
      wall += seconds * 1000;
    },
    async settled() {
      while (pending.size > 0) await Promise.allSettled(pending);
    },
    logged,
  };
}

function sent({ body, signal }: Sent): RequestInit {
  return { ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}), ...(signal ? { signal } : {}) };
}

/**
 * The response-cache key of a request, as the Node runtime makes it, so that all tests go through the response cache.
 */
function questionOf(method: string, path: string, headers: Headers): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const unlike = ['if-none-match', 'origin', 'range', 'x-forwarded-host', 'x-forwarded-proto'];
  if (unlike.some((name) => headers.has(name))) return undefined;
  const said = ['accept', 'user-agent', 'authorization'].map((name) => headers.get(name));
  return [method, path, ...said].join('\n');
}

function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.slice() as Uint8Array<ArrayBuffer>;
}

const noNetwork: Fetch = async (url) => {
  throw new Error(`This test has no upstream, and ${url} was asked`);
};

/** Reads a response to its end. */
export async function readAnswer(response: Response): Promise<Answer> {
  const body = new Uint8Array(await response.arrayBuffer());
  const text = () => new TextDecoder().decode(body);
  return {
    status: response.status,
    headers: response.headers,
    body,
    header: (name) => response.headers.get(name),
    text,
    error: () => onlyError(text()),
  };
}

function onlyError(text: string): SpecError {
  const { errors } = JSON.parse(text) as { errors: SpecError[] };
  const [first, ...others] = errors;
  if (!first?.code || !first.message || others.length > 0) throw new Error(`not one error: ${text}`);
  return first;
}
