import { Agent, type IncomingMessage, request } from 'node:http';
import type { Question, Reply } from './loopback.ts';

/** The real registry, which responds to the requests that a habit does not answer itself. */
export interface Behind {
  ask(question: Question): Promise<Reply>;
  stop(): void;
}

const passedOn = ['accept', 'range', 'if-range', 'if-none-match', 'if-modified-since'];
const ofTheConnection = ['connection', 'keep-alive', 'date', 'transfer-encoding'];

export function behind(registryUrl: string): Behind {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(registryUrl);

  async function ask({ method, path, headers }: Question): Promise<Reply> {
    const wanted = Object.entries(headers).filter(([name]) => passedOn.includes(name));
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asking = request({ agent, hostname, port, method, path, headers: Object.fromEntries(wanted) });
      asking.once('response', resolve);
      asking.once('error', reject);
      asking.end();
    });
    const head = { status: answer.statusCode ?? 0, headers: headersOf(answer) };
    if (method !== 'HEAD') return { ...head, body: answer };
    // The response is read to its end now, or its connection would not become free.
    answer.resume();
    return head;
  }

  return { ask, stop: () => agent.destroy() };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !ofTheConnection.includes(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

/** The resource of a path of the distribution API; undefined for the ping and for other paths. */
export function resourceOf(
  path: string,
): { repository: string; kind: string; reference: string } | undefined {
  const [, repository, kind, reference] =
    /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/?]+)(?:\?.*)?$/.exec(path) ?? [];
  return repository && kind && reference ? { repository, kind, reference } : undefined;
}

/** Changes headers of the real registry's response; undefined removes a header. */
export function withHeaders(reply: Reply, changes: Readonly<Record<string, string | undefined>>): Reply {
  const changed = Object.keys(changes).map((name) => name.toLowerCase());
  const kept = Object.entries(reply.headers ?? {}).filter(([name]) => !changed.includes(name.toLowerCase()));
  const added = Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...reply, headers: Object.fromEntries([...kept, ...added]) };
}
