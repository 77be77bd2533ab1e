import { readSigningKey } from '../../../converters/crypto/signing-key.ts';
import { signSchema1 } from '../../../converters/formats/schema1/sign.ts';
import { zeroTime } from '../../../converters/json/go-time.ts';
import type { HeaderLine } from '../old-clients.ts';
import type { RawResponse } from '../raw-http.ts';
import { sha256Of } from '../sha256.ts';
import { readSignedSchema1 } from '../signed-schema1.ts';
import { testSigningKey } from '../signing-key.ts';
import { type EarlyDocker, headersOn } from './docker-to-1.9.ts';
import { pingAndLogIn } from './ping.ts';
import { type Session, startSession } from './session.ts';
import type { Target } from './simulator.ts';
import { decompressLayer } from './unpack.ts';

/** The push of an engine: `pushV2Tag` and `pushV2Image` in graph/push_v2.go, which send each layer as a plain tar. */
export interface EarlyPusher extends Pick<EarlyDocker, 'headers' | 'pings'> {
  readonly name: string;
  /**
   * Whether the engine requests a layer once in a push (`layersPushed`, from 1.8 on); 1.7 does so for each of its
   * entries.
   */
  readonly asksOnce: boolean;
}

/** An image in the storage of these engines: the metadata of each layer with its digest, and its files. */
export interface KeptImage {
  readonly document: Readonly<Record<string, unknown>>;
  readonly entries: readonly { readonly v1: string; readonly blobSum: string; readonly tar: Uint8Array }[];
}

/** Pulls as all of these engines do, for a later push. */
export async function pullToKeep(engine: EarlyPusher, target: Target): Promise<KeptImage> {
  const session = startSession(target);
  const headers = headersOn(engine, target);
  await pingAndLogIn(session, { headers, times: engine.pings, actions: 'pull' });
  const at = `/v2/${target.repository}`;
  const manifest = await session.expectOk('GET', `${at}/manifests/${target.reference}`, headers);
  const { document } = readSignedSchema1(manifest.body);
  const entries: KeptImage['entries'][number][] = [];
  for (const [index, { blobSum }] of document.fsLayers.entries()) {
    const layer = await session.expectOk('GET', `${at}/blobs/${blobSum}`, headers);
    const v1 = document.history[index]?.v1Compatibility ?? '';
    entries.push({ v1, blobSum, tar: decompressLayer(layer.body, false) });
  }
  return { document: { ...document }, entries };
}

/**
 * Pushes the image. For each layer with a digest, HEAD decides whether it is uploaded. The manifest comes last, signed
 * by the engine, without a Content-Type.
 * @returns the requests.
 * @throws Error as the engine fails.
 */
export async function pushKept(
  engine: EarlyPusher,
  { document, entries }: KeptImage,
  target: Target,
): Promise<readonly string[]> {
  const session = startSession(target);
  const headers = headersOn(engine, target);
  await pingAndLogIn(session, { headers, times: engine.pings, actions: 'push,pull' });
  const pushed = new Set<string>();
  const blobSums: string[] = [];
  for (const { blobSum, tar } of entries) {
    const isThere = (engine.asksOnce && pushed.has(blobSum)) || (await isStored(session, headers, blobSum));
    const digest = isThere ? blobSum : await upload(session, headers, tar);
    blobSums.push(digest);
    pushed.add(digest);
  }
  const { repository: name, reference: tag } = target;
  const fsLayers = blobSums.map((blobSum) => ({ blobSum }));
  const history = entries.map(({ v1 }) => ({ v1Compatibility: v1 }));
  const { architecture } = document;
  const own = { schemaVersion: 1, name, tag, architecture, fsLayers, history };
  const payload = new TextEncoder().encode(JSON.stringify(own, null, 3));
  const body = await signSchema1(payload, await readSigningKey(JSON.stringify(testSigningKey)), zeroTime);
  const lines = [...headers, ['Content-Length', String(body.length)] as const];
  expectStatus(await session.send('PUT', `/v2/${name}/manifests/${tag}`, lines, body), 200, 201, 202);
  return session.requests;
}

/** Whether the registry has a layer. 404 means that it is to be uploaded; other errors end the push. */
async function isStored(session: Session, headers: readonly HeaderLine[], blobSum: string): Promise<boolean> {
  const answer = await session.send('HEAD', `/v2/${session.target.repository}/blobs/${blobSum}`, headers);
  expectStatus(answer, 200, 404);
  return answer.status === 200;
}

async function upload(session: Session, headers: readonly HeaderLine[], tar: Uint8Array): Promise<string> {
  const digest = await sha256Of(tar);
  const empty = ['Content-Length', '0'] as const;
  const path = `/v2/${session.target.repository}/blobs/uploads/`;
  const begun = expectStatus(await session.send('POST', path, [...headers, empty]), 202);
  const chunked = ['Transfer-Encoding', 'chunked'] as const;
  const patched = await session.send('PATCH', locationIn(begun), [...headers, chunked], inChunks(tar));
  const end = new URL(locationIn(expectStatus(patched, 202)));
  end.searchParams.set('digest', digest);
  expectStatus(await session.send('PUT', end.href, [...headers, empty]), 201);
  return digest;
}

/** Returns the whole Location: 1.6 to 1.9 use it as a URL unchanged. */
function locationIn(answer: RawResponse): string {
  return new URL(answer.header('Location') ?? '').href;
}

/** Encodes a body as one chunk (RFC 9112, section 7.1). */
function inChunks(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
}

function expectStatus(answer: RawResponse, ...good: readonly number[]): RawResponse {
  if (good.includes(answer.status)) return answer;
  throw new Error(`${answer.status} ${new TextDecoder().decode(answer.body)}`);
}
