import { mediaTypes } from '../../../converters/media-types.ts';
import type { DockerRegistry } from '../docker-registry.ts';
import { type RawResponse, rawRequest } from '../raw-http.ts';
import type { Call, Exchange, PushedTo } from './call.ts';
import { textOf } from './call.ts';
import { documents } from './content.ts';
import type { SequenceSettings } from './settings.ts';

const { schema1, schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;
const everyType = [ociManifest, ociIndex, schema2, dockerList, schema1Signed, schema1].join(', ');

interface WorldOptions {
  readonly settings: SequenceSettings;
  readonly straight: DockerRegistry;
  readonly behind: DockerRegistry;
  readonly ports: readonly number[];
  /** As the registries name them. */
  readonly repositories: readonly string[];
  /** The manifests that were pushed so far. */
  readonly pushed: readonly PushedTo[];
}

/** Both registries of a sequence, the proxies, and what was said so far. */
export interface World extends WorldOptions {
  ask(straight: Call, through: Call, replica: number): Promise<Pick<Exchange, 'straight' | 'through'>>;
  askProxy(call: Call, replica: number): Promise<RawResponse>;
  /** The manifest of a reference at the registry without a proxy, in its stored form. */
  stored(call: Pick<Call, 'repository' | 'reference'>): Promise<RawResponse>;
  /** Asks the registry behind the proxy. */
  readBehind(path: string): Promise<RawResponse>;
  /** The name that a repository has at the registries. */
  plainName(repository: string | undefined): string;
  /** The digests of manifests that regshift stored in another form, by `<repository>@<pushed digest>`. */
  readonly storedAs: Map<string, string>;
  /** Whether a replica may remember this answer for a reference: it was true before a write through another one. */
  hasGiven(call: Call, replica: number, response: RawResponse): boolean;
  /** Whether an image of the repository leads to a blob that the registry does not have. */
  mayBeMade(call: Pick<Call, 'repository' | 'reference'>): Promise<boolean>;
  remember(exchange: Exchange): void;
  /**
   * The first digest that a client got for a tag, and that no replica gives it any more, although the tag still names the
   * same stored manifest.
   */
  lostDigest(): Promise<string | undefined>;
  /** The first difference in the tags of both registries. */
  registriesDiffer(): Promise<string | undefined>;
}

export function createWorld(options: WorldOptions): World {
  const { settings, straight, behind, ports, repositories } = options;
  /** The number of the exchange that had each outcome first, by replica and reference. */
  const given = new Map<string, Map<string, number>>();
  const writes: { repository: string | undefined; replica: number; at: number }[] = [];
  let exchanges = 0;
  const handedOut = new Map<
    string,
    { readonly call: Call; readonly digest: string; readonly source: string }
  >();
  const ask = (port: number, { method, path, headers = [], body }: Call) =>
    rawRequest({ port, method, path, headers, ...(body && { body }), deadline: 60_000 });
  const plainName = (name = '') => (settings.byPath ? name.replace(/^mirror\//, '') : name);
  const read = (port: number, path: string) =>
    rawRequest({ port, method: 'GET', path, headers: [['Accept', everyType]] });
  const askProxy = (call: Call, replica: number) => ask(ports[replica] ?? 0, call);

  const keyOf = (repository: string | undefined, reference: string | undefined, replica: number | 'any') =>
    `${replica} ${repository} ${reference}`;

  async function tagsAt(port: number, repository: string): Promise<string> {
    const { status, body } = await read(port, `/v2/${repository}/tags/list`);
    if (status !== 200) return '';
    const { tags } = JSON.parse(textOf(body)) as { readonly tags: readonly string[] | null };
    const lines = (tags ?? []).toSorted().map(async (tag) => {
      const answer = await read(port, `/v2/${repository}/manifests/${tag}`);
      return `${tag} ${answer.status} ${answer.header('Docker-Content-Digest')}`;
    });
    return (await Promise.all(lines)).join('\n');
  }

  /** Keeps the digest that a client got for a tag. */
  function keepHandedOut({ kind, client, repository, reference, ...call }: Call, through: RawResponse): void {
    const digest = through.header('Docker-Content-Digest');
    if (kind !== 'manifest' || client === undefined || through.status !== 200 || digest === undefined) return;
    if (repository === undefined || reference === undefined || reference.includes(':')) return;
    const source = through.header('Regshift-Source-Digest') ?? digest;
    const headers = client.headers;
    const kept = { ...call, kind, client, repository, reference, headers };
    handedOut.set(`${repository} ${reference} ${digest}`, { call: kept, digest, source });
  }

  return {
    ...options,
    storedAs: new Map(),
    askProxy,
    plainName,
    readBehind: (path) => read(behind.port, path),
    async ask(straightCall, call, replica) {
      // docker-registry 2.8 answers 416 with the length of the blob and without its bytes.
      const unlessCut = (error: Error) => {
        if (!error.message.includes('before it was whole') || straightCall.kind !== 'blob') throw error;
        return ask(straight.port, { ...straightCall, method: 'HEAD' });
      };
      const [left, right] = await Promise.all([
        ask(straight.port, straightCall).catch(unlessCut),
        askProxy(call, replica),
      ]);
      return { straight: left, through: right };
    },
    stored: ({ repository, reference }) =>
      read(straight.port, `/v2/${plainName(repository)}/manifests/${reference}`),
    async mayBeMade({ repository }) {
      const own = options.pushed.filter((each) => repositories[each.repository] === plainName(repository));
      const stored = own.map(({ document }) =>
        read(straight.port, `/v2/${plainName(repository)}/manifests/${documents[document]?.digest}`),
      );
      return (await Promise.all(stored)).some(({ status }) => status === 200);
    },
    hasGiven: ({ repository, reference }, replica, response) =>
      ([replica, 'any'] as const).some((by) => {
        const known = given.get(keyOf(repository, reference, by));
        return outcomesOf(response).some((outcome) => {
          const at = known?.get(outcome) ?? Number.POSITIVE_INFINITY;
          return writes.some(
            (each) => each.repository === repository && each.replica !== replica && each.at >= at,
          );
        });
      }),
    remember({ call, through, replica }) {
      exchanges += 1;
      const { repository, reference, method } = call;
      keepHandedOut(call, through);
      const isWrite = method !== 'GET' && method !== 'HEAD';
      if (isWrite) writes.push({ repository, replica, at: exchanges });
      // A search of any replica may have asked for a tag after each push of it.
      const by = method === 'PUT' ? 'any' : replica;
      const outcomes = outcomesOf(through);
      // A grant of a tag is one of its digests, too.
      for (const name of [reference, ...outcomes]) {
        const key = keyOf(repository, name, by);
        const known = given.get(key) ?? new Map<string, number>();
        for (const outcome of outcomes) if (!known.has(outcome)) known.set(outcome, exchanges);
        given.set(key, known);
      }
    },
    async lostDigest() {
      for (const { call, digest, source } of handedOut.values()) {
        const { repository, reference } = call;
        const stored = await read(behind.port, `/v2/${plainName(repository)}/manifests/${reference}`);
        if (stored.header('Docker-Content-Digest') !== source) continue;
        for (const replica of ports.keys()) {
          const path = `/v2/${repository}/manifests/${digest}`;
          const answer = await askProxy({ ...call, method: 'GET', path }, replica);
          if (answer.status !== 200 || answer.header('Docker-Content-Digest') !== digest)
            return `${call.client?.name} got ${digest} for ${repository}:${reference}, made from ${source}, and now ${answer.status} from replica ${replica}: ${textOf(answer.body).slice(0, 300)}`;
        }
      }
      return undefined;
    },
    async registriesDiffer() {
      for (const repository of repositories) {
        const [left, right] = await Promise.all([
          tagsAt(straight.port, repository),
          tagsAt(behind.port, repository),
        ]);
        if (left !== right)
          return `the tags of ${repository} are\n${left}\nstraight, and\n${right}\nbehind the proxy`;
      }
      return undefined;
    },
  };
}

/** The manifests that a response is about, in its form and in the stored one, or its status. */
function outcomesOf(response: RawResponse): string[] {
  const names = ['Regshift-Source-Digest', 'Regshift-Stored-Digest', 'Docker-Content-Digest'];
  const digests = names.map((name) => response.header(name)).filter((digest) => digest !== undefined);
  return response.status < 400 && digests.length > 0 ? digests : [String(response.status)];
}
