import { gunzipSync } from 'node:zlib';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Answer, RequestHeaders, TestApp } from './app.ts';
import { sha256Of } from './sha256.ts';
import { readSignedSchema1 } from './signed-schema1.ts';
import { unzstd } from './unzstd.ts';

const indexTypes: readonly string[] = [mediaTypes.dockerList, mediaTypes.ociIndex];

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

interface Document {
  readonly manifests?: readonly Descriptor[];
  readonly config: Descriptor;
  /** Go writes an empty list as null. */
  readonly layers: readonly Descriptor[] | null;
}

/** A manifest as a client got it, or the code of the error that it got. */
export type CheckedPull =
  | { readonly refused: string }
  | {
      readonly mediaType: string;
      readonly digest: string;
      /** The decompressed layers of the image for linux/amd64, base first; undefined for content that is no image. */
      readonly tars: readonly Uint8Array[] | undefined;
    };

/** The headers by tag and by digest: containerd names the type that it got with the digest. */
export interface PullHeaders {
  readonly byTag: RequestHeaders;
  readonly byDigest: (mediaType: string) => RequestHeaders;
}

/**
 * Pulls a tag as a client does, down to the layers of its platform, and checks everything that any client checks with
 * other code than the program's: each digest and size, HEAD against GET, each diffID, and schema 1's signature.
 * @param signsAgain whether the program may have lost a signed manifest: its digest then stays, and its signature, which
 *   has random numbers (ECDSA), is another one.
 * @throws Error with the first content that is missing or wrong.
 */
export async function pullChecked(
  app: Pick<TestApp, 'get' | 'head'>,
  repository: string,
  headers: PullHeaders,
  signsAgain = false,
): Promise<CheckedPull> {
  const get = async (path: string, sent: RequestHeaders): Promise<Answer> => {
    const head = await app.head(`/v2/${repository}/${path}`, sent);
    const answer = await app.get(`/v2/${repository}/${path}`, sent);
    same(`the status of HEAD ${path}`, head.status, answer.status);
    // The body of an error may need a GET upstream, so HEAD may leave out its length (RFC 9110, 8.6).
    if (answer.status < 400 || head.header('content-length') !== null) {
      same(`content-length of HEAD ${path}`, head.header('content-length'), answer.header('content-length'));
    }
    for (const name of ['content-type', 'docker-content-digest', 'etag', 'vary']) {
      same(`${name} of HEAD ${path}`, head.header(name), answer.header(name));
    }
    same(`the body of HEAD ${path}`, head.body.length, 0);
    same(`the length of ${path}`, answer.header('content-length'), String(answer.body.length));
    return answer;
  };

  const content = async (kind: 'manifests' | 'blobs', { digest, size, mediaType }: Descriptor) => {
    const answer = await get(`${kind}/${digest}`, headers.byDigest(mediaType));
    if (answer.status !== 200) throw new Error(`${kind} ${digest}: ${answer.status} ${answer.text()}`);
    same(`the digest of ${digest}`, await digestOf(answer, digest), digest);
    if (kind === 'manifests') same(`the type of ${digest}`, answer.header('content-type'), mediaType);
    same(`the size of ${digest}`, answer.body.length, size);
    return answer;
  };

  const blobs = async ({ config, ...rest }: Document): Promise<readonly Uint8Array[] | undefined> => {
    const layers = rest.layers ?? [];
    const bytes = (await content('blobs', config)).body;
    const compressed: Uint8Array[] = [];
    for (const layer of layers) compressed.push((await content('blobs', layer)).body);
    const { rootfs } = JSON.parse(new TextDecoder().decode(bytes)) as {
      rootfs?: { diff_ids: string[] | null };
    };
    if (rootfs === undefined || layers.some(({ mediaType }) => !isReadable(mediaType))) return undefined;
    const tars = compressed.map(decompressed);
    same('the diffIDs', (await Promise.all(tars.map(sha256Of))).join(), (rootfs.diff_ids ?? []).join());
    return tars;
  };

  /** Checks every image of an index, whatever its platform. @returns the layers of the one for linux/amd64. */
  const below = async (answer: Answer): Promise<readonly Uint8Array[] | undefined> => {
    const document = JSON.parse(answer.text()) as Document;
    if (!document.manifests) return blobs(document);
    let chosen: readonly Uint8Array[] | undefined;
    for (const entry of document.manifests) {
      if (!/manifest|index/.test(entry.mediaType)) continue;
      const tars = await below(await content('manifests', entry));
      const { os = 'linux', architecture = 'amd64' } = entry.platform ?? {};
      if (os === 'linux' && architecture === 'amd64') chosen ??= tars;
    }
    return chosen;
  };

  const schema1 = async ({ body }: Answer): Promise<readonly Uint8Array[]> => {
    const signed = readSignedSchema1(body);
    if (!(await signed.verify())) throw new Error('the signature does not hold');
    const layers = signed.document.fsLayers.filter((_, index) => !signed.entries[index]?.throwaway);
    const tars: Uint8Array[] = [];
    for (const { blobSum } of layers.toReversed()) {
      const answer = await get(`blobs/${blobSum}`, headers.byDigest(''));
      same(`the digest of ${blobSum}`, await digestOf(answer, blobSum), blobSum);
      tars.push(decompressed(answer.body));
    }
    return tars;
  };

  const root = await get('manifests/latest', headers.byTag);
  if (root.status !== 200) return { refused: `${root.status} ${root.error().code}` };
  const mediaType = root.header('content-type') ?? '';
  const isSigned = mediaType === mediaTypes.schema1Signed;
  const digest = await sha256Of(isSigned ? readSignedSchema1(root.body).payload : root.body);
  same('the digest of the tag', root.header('docker-content-digest'), digest);
  const again = await get(`manifests/${digest}`, headers.byDigest(mediaType));
  same('the status by digest', again.status, 200);
  if (isSigned && signsAgain) same('the digest by digest', await digestOf(again, digest), digest);
  else same('the digest by digest', await sha256Of(again.body), await sha256Of(root.body));
  const isIndex = indexTypes.includes(mediaType);
  const tars = isSigned
    ? await schema1(root)
    : await (isIndex ? below(root) : blobs(JSON.parse(root.text())));
  return { mediaType, digest, tars };
}

/** Whether a layer of this type can be decompressed without a key. */
const isReadable = (mediaType: string) => mediaType.includes('tar') && !mediaType.endsWith('+encrypted');

function same(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)}, not ${String(expected)}`);
}

async function digestOf({ body, ...answer }: Answer, digest: string): Promise<string> {
  if (answer.header('content-type') === mediaTypes.schema1Signed)
    return sha256Of(readSignedSchema1(body).payload);
  if (digest.startsWith('sha256:')) return sha256Of(body);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-512', body.slice()));
  return `sha512:${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Decompresses by the first bytes, as all clients do. */
function decompressed(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return new Uint8Array(gunzipSync(bytes));
  const isZstd = (bytes[0] === 0x28 && bytes[1] === 0xb5) || (bytes[1] === 0x2a && bytes[2] === 0x4d);
  return isZstd ? new Uint8Array(unzstd(bytes)) : bytes;
}
