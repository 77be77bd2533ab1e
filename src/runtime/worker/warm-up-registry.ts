import { type Digest, digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Fetch } from '../../upstream/send.ts';

/** A registry in memory with one image, behind an index. */
export interface WarmUpRegistry {
  readonly fetch: Fetch;
  readonly image: Digest;
  readonly layer: Digest;
}

interface Content {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/**
 * Creates a registry that runs where a Worker starts. There, workerd allows a body that JavaScript streams, and refuses
 * one of bytes (seen with workerd of wrangler.toml's date).
 */
export function createWarmUpRegistry(): WarmUpRegistry {
  const contents = new Map<string, Content>();
  const add = (type: string, bytes: Uint8Array) => {
    const digest = digestOf(bytes);
    contents.set(digest, { type, bytes });
    return { mediaType: type, digest, size: bytes.length };
  };
  const addJson = (type: string, fields: object) =>
    add(type, new TextEncoder().encode(JSON.stringify(fields)));

  // The beginning of each gzip file (RFC 1952, section 2.3).
  const layer = add(mediaTypes.ociLayerGzip, Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3));
  const config = addJson(mediaTypes.ociConfig, {
    created,
    ...platform,
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: [layer.digest, layer.digest] },
    history: [
      { created, created_by: '/bin/sh -c #(nop) ADD file in / ' },
      { created, created_by: '/bin/sh -c #(nop)  CMD ["/bin/true"]', empty_layer: true },
      { created, created_by: '/bin/sh -c true' },
    ],
  });
  const image = addJson(mediaTypes.ociManifest, {
    ...{ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer, layer] },
    annotations: { 'org.opencontainers.image.created': created },
  });
  const index = addJson(mediaTypes.ociIndex, {
    ...{ schemaVersion: 2, mediaType: mediaTypes.ociIndex },
    manifests: [{ ...image, platform }],
  });
  const fetch: Fetch = async (url, { method }) => {
    const reference = url.slice(url.lastIndexOf('/') + 1);
    const digest = reference.startsWith('sha256:') ? reference : index.digest;
    return respond(digest, contents.get(digest), method === 'HEAD');
  };
  return { fetch, image: image.digest, layer: layer.digest };
}

const created = '2026-01-02T03:04:05.678901234Z';
const platform = { os: 'linux', architecture: 'amd64' };

function respond(digest: string, content: Content | undefined, isHead: boolean): Response {
  if (content === undefined) return new Response(null, { status: 404 });
  const { type, bytes } = content;
  const headers = {
    'Content-Type': type,
    'Content-Length': String(bytes.length),
    'Docker-Content-Digest': digest,
  };
  return new Response(isHead ? null : streamOf(bytes), { headers });
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
