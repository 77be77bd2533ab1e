import { goHeaders } from './v1-daemons.ts';
import { type V1Response, type V1Session, type V1SessionOptions, v1Session } from './v1-session.ts';

/** An image as a daemon has it after a pull. */
export interface V1Pulled {
  /** Newest first. */
  readonly ids: readonly string[];
  readonly json: ReadonlyMap<string, string>;
  /** The layers by id, as they arrived. */
  readonly layers: ReadonlyMap<string, Uint8Array>;
  readonly session: V1Session;
}

export interface V1PullOptions extends V1SessionOptions {
  /** The number of bytes after which each layer download breaks off, to be resumed. */
  readonly breakAfter?: number | undefined;
}

const text = ({ body }: V1Response) => new TextDecoder().decode(body);

/**
 * Pulls one tag by API v1 as a daemon does: in its order, with its headers, and with its checks alone.
 * @throws Error with the message that the daemon shows to its user.
 */
export async function pullV1(options: V1PullOptions, name: string, tag = 'latest'): Promise<V1Pulled> {
  const { daemon, http } = options;
  const plain = [['User-Agent', 'Go 1.1 package http'], ...goHeaders] as const;
  for (const path of daemon.pings) await http('GET', path, plain);
  if (daemon.asksV2) {
    const own = [['User-Agent', daemon.userAgent], ...goHeaders] as const;
    const { status } = await http('GET', `/v2/${name}/manifests/${tag}`, own);
    if (status === 200) throw new Error('it would download everything by API v2, and then fail');
  }
  const session = v1Session(options);
  const top = await idOfTag(session, name, tag);
  const ids = await ancestry(session, top);
  const json = new Map<string, string>();
  const layers = new Map<string, Uint8Array>();
  for (const id of ids.toReversed()) {
    const { document, size } = await imageJson(session, id);
    json.set(id, document);
    layers.set(id, await layer(session, id, size, options.breakAfter));
  }
  return { ids, json, layers, session };
}

/** Sends the first requests of the engine. @returns the id of the image of the wanted tag. */
export async function idOfTag(session: V1Session, name: string, tag: string): Promise<string> {
  const { daemon } = session;
  const images = await session.index(`repositories/${name}/images`);
  if (images.status === 401) throw new Error('Authentication is required.');
  if (images.status === 404) throw new Error(`Error: image ${name} not found`);
  if (images.status !== 200) throw new Error(daemon.imagesError(images.status, name, text(images)));
  if (!Array.isArray(JSON.parse(text(images)))) throw new Error('the images are no list');
  const id = daemon.oneTag ? await oneTag(session, name, tag) : (await allTags(session, name))[tag];
  if (id === undefined) throw new Error(`Tag ${tag} not found in repository ${name}`);
  if (!/^[0-9a-f]{64}$/.test(id)) throw new Error(`${id} is no id`);
  return id;
}

/** Adds `library/` to a name without a namespace. */
function withNamespace(name: string): string {
  return name.includes('/') ? name : `library/${name}`;
}

async function oneTag(session: V1Session, name: string, tag: string): Promise<string | undefined> {
  const answer = await session.get(`repositories/${withNamespace(name)}/tags/${tag}`);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error('Could not reach any registry endpoint');
  return JSON.parse(text(answer)) as string;
}

export async function allTags(session: V1Session, name: string): Promise<Record<string, string>> {
  const answer = await session.get(`repositories/${withNamespace(name)}/tags`);
  if (answer.status === 404) throw new Error('Repository not found');
  if (answer.status !== 200) throw new Error('Could not reach any registry endpoint');
  return JSON.parse(text(answer)) as Record<string, string>;
}

export async function ancestry(session: V1Session, id: string): Promise<string[]> {
  const answer = await session.get(`images/${id}/ancestry`);
  if (answer.status === 401) throw new Error('Authentication is required.');
  if (answer.status !== 200)
    throw new Error(`Server error: ${answer.status} trying to fetch remote history for ${id}`);
  const ids = JSON.parse(text(answer)) as string[];
  if (ids[0] !== id) throw new Error(`the ancestry of ${id} begins with ${ids[0]}`);
  return ids;
}

async function imageJson(session: V1Session, id: string) {
  const answer = await session.get(`images/${id}/json`);
  if (answer.status !== 200) throw new Error(`HTTP code ${answer.status}`);
  const document = text(answer);
  if ((JSON.parse(document) as { id?: string }).id !== id)
    throw new Error(`the JSON of ${id} has another id`);
  const size = answer.header('x-docker-size');
  return { document, size: size ? Number(size) : -1 };
}

async function layer(session: V1Session, id: string, size: number, breakAfter?: number): Promise<Uint8Array> {
  const answer = await session.get(`images/${id}/layer`);
  if (answer.status !== 200) {
    throw new Error(`Server error: Status ${answer.status} while fetching image layer (${id})`);
  }
  if (breakAfter === undefined) return answer.body;
  if (answer.header('accept-ranges') !== 'bytes' || size <= 0) throw new Error('unexpected EOF');
  return resumed(session, id, answer.body.slice(0, breakAfter), size);
}

/** Resumes a download as moby 1.3 to 1.9 does (pkg/httputils/resumablerequestreader.go). */
async function resumed(session: V1Session, id: string, got: Uint8Array, size: number): Promise<Uint8Array> {
  const rest = await session.get(`images/${id}/layer`, [['Range', `bytes=${got.length}-${size}`]]);
  if (rest.status === 416 && got.length === size && rest.header('content-length') === '0') return got;
  if (rest.status !== 206) throw new Error("the server doesn't support byte ranges");
  const all = new Uint8Array(got.length + rest.body.length);
  all.set(got);
  all.set(rest.body, got.length);
  if (all.length !== size) throw new Error(`${all.length} bytes of ${size}`);
  return all;
}

/** Returns the tar in a layer of one of the two kinds that these daemons decompress. @throws Error as they do. */
export async function decompressedV1(layer: Uint8Array): Promise<Uint8Array> {
  if (layer[0] === 0x1f && layer[1] === 0x8b) {
    const stream = new Blob([layer.slice()]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
  const magic = new TextDecoder().decode(layer.subarray(257, 262));
  if (magic !== 'ustar' && layer.some((byte) => byte !== 0))
    throw new Error('archive/tar: invalid tar header');
  return layer;
}
