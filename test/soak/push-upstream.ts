import type { IncomingMessage } from 'node:http';
import type { Random } from '../fuzz/random.ts';
import { type ChoosyRegistry, choosyRegistry, generations } from '../support/choosy-registry.ts';
import { quickFaults } from '../support/faults/faults.ts';
import {
  type GoodAnswer,
  type HostileUpstream,
  jsonAnswer,
  type Misbehave,
  readGoodAnswer,
  sentHeaders,
  startHostileUpstream,
} from '../support/faults/hostile-upstream.ts';

/** A registry for pushes that takes the manifests of one generation, and fails for some repositories. */
export interface PushUpstream {
  readonly registry: ChoosyRegistry;
  readonly url: string;
  /** The repositories, as the registry names them, in which a tenth of the responses are wrong. */
  readonly faulty: Set<string>;
  /** The last requests for a repository with the registry's own responses, to explain a wrong one. */
  story(repository: string): string;
  stop(): Promise<void>;
}

const faults: readonly (readonly [string, Misbehave])[] = Object.entries(quickFaults);
/** Lines of a story. */
const longest = 60;

export async function startPushUpstream(
  generation: keyof typeof generations,
  random: Random,
): Promise<PushUpstream> {
  const registry = choosyRegistry({ takes: generations[generation] });
  const faulty = new Set<string>();
  const stories = new Map<string, string[]>();
  const tell = (path: string, what: string) => {
    const lines = stories.get(repositoryIn(path)) ?? [];
    stories.set(repositoryIn(path), [...lines, `${Math.round(performance.now())} ${what}`].slice(-longest));
  };
  const upstream: HostileUpstream = await startHostileUpstream('nothing', async (request) => {
    const answer = await answerOf(registry, request);
    tell(request.url ?? '', `${request.method} ${request.url} ${answer.status}`);
    return answer;
  });
  upstream.misbehave(
    (asked) => {
      const [name, how] = random.one(faults);
      tell(asked.request.url ?? '', `  it ${name}`);
      return how(asked);
    },
    ({ path }) => faulty.has(repositoryIn(path)) && random.oneIn(10),
  );
  const story = (repository: string) => (stories.get(repository) ?? []).join('\n');
  return { registry, url: upstream.url, faulty, story, stop: upstream.stop };
}

function repositoryIn(path: string): string {
  return /^\/v2\/(.+)\/(?:blobs|manifests|tags)\//.exec(path)?.[1] ?? '';
}

async function answerOf(registry: ChoosyRegistry, request: IncomingMessage): Promise<GoodAnswer> {
  const url = new URL(request.url ?? '/', 'http://registry.test');
  if (url.pathname === '/v2/') return jsonAnswer(200, {});
  const { method = 'GET', headers } = request;
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
  const body = hasBody ? await bodyOf(request) : undefined;
  const asked = new Request(url, { method, headers: sentHeaders(headers), ...(body ? { body } : {}) });
  const answer = await registry.script(asked, url);
  return answer
    ? readGoodAnswer(answer)
    : jsonAnswer(404, { errors: [{ code: 'UNKNOWN', message: 'none' }] });
}

/** The body of a request; what has arrived of one whose client left. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
  } catch {
    // The client has left in the middle.
  }
  return new Uint8Array(Buffer.concat(chunks));
}
