import { manifestTypes, mediaTypes, schema1Types } from '../../../converters/media-types.ts';
import type { RawResponse } from '../raw-http.ts';
import { childrenOf } from '../sample-tree.ts';
import { sha256Of } from '../sha256.ts';
import { readSignedSchema1 } from '../signed-schema1.ts';
import { type Call, type Exchange, isDigestText } from './call.ts';
import { acceptOf, hasProgram, names } from './clients.ts';
import { errorsIn } from './differences.ts';
import type { Rule } from './rule.ts';
import type { World } from './world.ts';

const content = [
  'Content-Type',
  'Docker-Content-Digest',
  'ETag',
  'Content-Length',
  'body',
  'code',
  'message',
  'detail',
];

/** Headers of a response that is in another form, or is a 304 in place of an error. */
const about = ['Cache-Control', 'Docker-Distribution-Api-Version'];

export const isRead = ({ kind, method }: Call) =>
  kind === 'manifest' && (method === 'GET' || method === 'HEAD');
export const typeOf = (response: RawResponse) => response.header('Content-Type');

/** The digest of a manifest: of the signed bytes of schema 1, else of all bytes. */
export async function manifestDigest(bytes: Uint8Array, type: string | undefined): Promise<string> {
  const bare = type?.split(';')[0];
  // Registries take a signed one by the type of both, too.
  const isSigned =
    bare === mediaTypes.schema1Signed ||
    (bare === mediaTypes.schema1 && new TextDecoder().decode(bytes).includes('"signatures"'));
  return sha256Of(isSigned ? readSignedSchema1(bytes).payload : bytes);
}

/** Whether the bytes that the proxy sends have the digest that it names; of a HEAD, by the GET after it. */
async function isTrue({ call, through, replica }: Exchange, world: World): Promise<boolean> {
  const isBare = through.status === 304 || call.method === 'HEAD';
  const headers = (call.headers ?? []).filter(([name]) => name !== 'If-None-Match');
  const whole = isBare ? await world.askProxy({ ...call, method: 'GET', headers }, replica) : through;
  if (whole.status !== 200) return false;
  const digest = await manifestDigest(whole.body, typeOf(whole));
  return digest === through.header('Docker-Content-Digest') && through.header('ETag') === `"${digest}"`;
}

/** Whether a client gets a form that it asks for, or that it reads although it names none. */
function isWelcome({ call: { client }, through }: Exchange, stored: RawResponse): boolean {
  if (through.status === 304) return true;
  const isStored = through.header('Docker-Content-Digest') === stored.header('Docker-Content-Digest');
  if (client === undefined) return false;
  // docs/negotiation.md: a known program reads what its row says, and `*/*` or no type of a manifest stands for all.
  if (isStored && (hasProgram(client) || !acceptOf(client).some((each) => manifestTypes.includes(each))))
    return true;
  return names(client, typeOf(through)) || isSchema1(through);
}

/** docker-registry, too, sends schema 1 to a client that names only `application/json`. */
function isSchema1(response: RawResponse): boolean {
  return schema1Types.includes(typeOf(response) ?? '');
}

/** Whether the client named the digest that it would get. */
function isUnchanged({ call, through }: Exchange): boolean {
  const etag = through.header('ETag') ?? '';
  return (call.headers ?? []).some(([name, value]) => name === 'If-None-Match' && value === etag);
}

/** Whether a manifest is generic, whose bytes state no type: docker-registry sends OCI's type where none came with it. */
async function isGeneric(call: Call, world: World): Promise<boolean> {
  const stored = await world.stored(call);
  return new TextDecoder().decode(stored.body).includes('"target"');
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

async function hasDigest(response: RawResponse, digest: string): Promise<boolean> {
  const type = typeOf(response);
  return (
    (await manifestDigest(response.body, type)) === digest &&
    response.header('Docker-Content-Digest') === digest
  );
}

export const manifestRules: readonly Rule[] = [
  {
    name: 'another form',
    reason:
      'A client that does not name the stored type, or whose program is known to misread it, gets the image in a form that ' +
      'it reads (docs/negotiation.md). Any other client gets the stored bytes.',
    async explains(exchange, world) {
      const { call, straight, through } = exchange;
      const { client } = call;
      if (!isRead(call) || !client || (through.status !== 200 && through.status !== 304)) return [];
      const stored = await world.stored(call);
      if (stored.status !== 200) return [];
      if (names(client, typeOf(stored)) && !hasProgram(client)) return [];
      const source = through.header('Regshift-Source-Digest');
      // Of an index the source may be the image of one platform.
      const sources = [stored.header('Docker-Content-Digest'), ...childrenOf(stored.body)];
      if (!sources.includes(source) || !isWelcome(exchange, stored)) return [];
      if (!(await isTrue(exchange, world))) return [];
      // docker-registry compares If-None-Match with the stored digest, also where it sends schema 1 in its place
      // (distribution 2.8, registry/handlers/manifests.go, `GetManifest`). regshift compares it with what it sends.
      const isOwn = [through.status, 304].includes(straight.status) || straight.status >= 400;
      return isOwn || isUnchanged(exchange) ? [...content, ...about, 'status'] : [];
    },
  },
  {
    name: 'signatures of schema 1',
    reason:
      'A registry signs the payload of schema 1 again when it sends it, and each with its own key. The digest is that of the payload.',
    explains: ({ straight, through }) =>
      straight.status === 200 &&
      through.status === 200 &&
      [straight, through].every(
        (each) => typeOf(each) === mediaTypes.schema1Signed && each.body.length > 0,
      ) &&
      sameBytes(
        ...([straight, through].map(({ body }) => readSignedSchema1(body).payload) as [
          Uint8Array,
          Uint8Array,
        ]),
      )
        ? ['body', 'Content-Length']
        : [],
  },
  {
    name: 'no readable form',
    reason:
      'A digest names bytes: a client that does not read their form gets 404 UNSUPPORTED with the digest to use instead, ' +
      'and so does one for which no form can hold the image (README.md, "Limits"). docker-registry sends the bytes.',
    async explains({ call, straight, through, replica }, world) {
      const { client } = call;
      if (!isRead(call) || !client || through.status !== 404) return [];
      const told =
        call.method === 'HEAD' ? await world.askProxy({ ...call, method: 'GET' }, replica) : through;
      if (errorsIn(told)[0]?.code !== 'UNSUPPORTED') return [];
      const isNamed = straight.status < 400 && names(client, typeOf(straight)) && !hasProgram(client);
      return isNamed && !(await isGeneric(call, world)) ? [] : 'all';
    },
  },
  {
    name: 'registry API v1',
    reason: 'Docker up to 1.5 pulls by registry API v1 after a 404 (docs/negotiation.md).',
    explains: ({ call, through }) =>
      isRead(call) && through.status === 404 && call.client?.name === 'Docker ≤ 1.5' ? 'all' : [],
  },
  {
    name: 'made content',
    reason: 'The digests that a converted manifest names, and its own, can be pulled (docs/how-it-works.md).',
    async explains({ call, straightCall, straight, through }, world) {
      const { kind, method, reference } = call;
      if (straight.status < 400 && reference === straightCall.reference) return [];
      if (!isDigestText(reference)) return [];
      // The response before named nothing to ask for.
      if (reference === nothing) return through.status === 404 ? 'all' : [];
      // The sides follow their own manifests to content that both may have.
      const isOther = reference !== straightCall.reference;
      const isWhole = method === 'GET' && through.status === 200;
      if (isWhole && !(await hasDigest(through, reference))) return [];
      if (kind === 'manifest') {
        const source = through.header('Regshift-Source-Digest');
        if ((source === reference && !isOther) || through.status >= 400) return [];
        const stored = await world.stored({ ...call, reference: source ?? '' });
        return stored.status === 200 ? 'all' : [];
      }
      if (isOther && isWhole) return 'all';
      return [200, 206, 304, 416].includes(through.status) && (await world.mayBeMade(call)) ? 'all' : [];
    },
  },
  {
    name: 'made content that is stored, too',
    reason:
      'A blob that regshift makes has its own Cache-Control, also where the registry has the same bytes: the right to its ' +
      'image is the right to it (docs/caching-and-access.md).',
    async explains({ call, straight, through }, world) {
      const isSame = call.kind === 'blob' && straight.status === through.status && straight.status < 400;
      return isSame && !through.header('Cache-Control')?.includes('max-age') && (await world.mayBeMade(call))
        ? ['Cache-Control']
        : [];
    },
  },
  {
    name: 'remembered by another replica',
    reason:
      'A replica that has not seen a write may answer from memory for REGSHIFT_TAG_TTL seconds (docs/caching-and-access.md): ' +
      'as it answered before.',
    async explains(exchange, world) {
      const { call, through, replica } = exchange;
      if (world.settings.replicas !== 2 || world.settings.ttl === '0' || !isRead(call)) return [];
      if (!world.hasGiven(call, replica, through)) return [];
      return through.status !== 200 || (await isTrue(exchange, world)) ? 'all' : [];
    },
  },
  {
    name: 'the empty layer',
    reason: 'regshift has the empty layer of schema 1 itself (docs/caching-and-access.md).',
    explains: ({ call, straight, through }) =>
      call.reference === emptyLayer && straight.status === 200 && through.status === 200
        ? ['Cache-Control']
        : [],
  },
];

/** The layer without a file that schema 1 names (image/empty.go of distribution). */
export const emptyLayer = 'sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4';

/** A digest that nothing has. */
export const nothing = `sha256:${'1'.repeat(64)}`;
