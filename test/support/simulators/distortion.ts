import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { readSigningKey } from '../../../converters/crypto/signing-key.ts';
import { signSchema1 } from '../../../converters/formats/schema1/sign.ts';
import { zeroTime } from '../../../converters/json/go-time.ts';
import { readSignedSchema1 } from '../signed-schema1.ts';
import { testSigningKey } from '../signing-key.ts';
import { behind, resourceOf, withHeaders } from '../upstreams/behind.ts';
import { headerOf, type LoopbackServer, type Reply, startLoopback } from '../upstreams/loopback.ts';

/** A response of the proxy, read to its end, with its request. */
export interface Original extends Reply {
  readonly method: string;
  readonly kind: 'ping' | 'manifests' | 'blobs';
  readonly text: string;
}

/** Turns a response into one that a client should refuse; undefined leaves it unchanged. */
export type Distortion = (original: Original) => Reply | undefined | Promise<Reply>;

/** Starts a server in front of the proxy that distorts its responses, to test which clients notice. */
export async function startDistorted(proxyUrl: string, distort: Distortion): Promise<LoopbackServer> {
  const proxy = behind(proxyUrl);
  const server = await startLoopback(async (question) => {
    const { body, ...reply } = await proxy.ask(question);
    const bytes = body instanceof Readable ? new Uint8Array(await buffer(body)) : new Uint8Array();
    const kind = (resourceOf(question.path)?.kind ?? 'ping') as Original['kind'];
    const text = new TextDecoder().decode(bytes);
    const original: Original = { ...reply, body: bytes, method: question.method, kind, text };
    return (await distort(original)) ?? original;
  });
  const stop = async () => {
    await server.stop();
    proxy.stop();
  };
  return { ...server, stop };
}

/** The response with another body of the same length. */
export function withText(original: Original, text: string): Reply | undefined {
  if (text === original.text) return undefined;
  const body = new TextEncoder().encode(text);
  return { ...withHeaders(original, { 'Content-Length': String(body.length) }), body };
}

/** Schema 1 with other image data and a valid signature: only the statements are wrong. */
export async function resigned(
  original: Original,
  change: (entries: { id: string; parent?: string }[]) => void,
): Promise<Reply> {
  const { document, entries } = readSignedSchema1(original.body as Uint8Array);
  const changed = entries.map((entry) => ({ ...entry }));
  change(changed);
  const history = changed.map((entry) => ({ v1Compatibility: JSON.stringify(entry) }));
  const payload = new TextEncoder().encode(JSON.stringify({ ...document, history }, null, 3));
  const body = await signSchema1(payload, await readSigningKey(JSON.stringify(testSigningKey)), zeroTime);
  const length = String(body.length);
  return { ...withHeaders(original, { 'Content-Length': length, 'Docker-Content-Digest': undefined }), body };
}

export function longerBy(original: Original, bytes: number): Reply {
  const length = Number(headerOf(original, 'Content-Length'));
  return withHeaders(original, { 'Content-Length': String(length + bytes) });
}
