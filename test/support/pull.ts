import { mediaTypes } from '../../converters/media-types.ts';
import type { Answer, RequestHeaders, TestApp } from './app.ts';
import { containerdGetHeaders, manifestRequestHeaders, type OldClient } from './old-clients.ts';
import { childrenOf } from './sample-tree.ts';
import { sha256Of } from './sha256.ts';
import { readSignedSchema1 } from './signed-schema1.ts';

const listTypes: readonly string[] = [mediaTypes.dockerList, mediaTypes.ociIndex];

/** All content of an image that a client gets, with each piece verified. */
export interface Pulled {
  /** The response for the tag. */
  readonly root: Answer;
  /** The manifests by digest, without the root. */
  readonly manifests: ReadonlyMap<string, Answer>;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** The headers of a client's request for a digest. containerd accepts only the media type that it got with the digest. */
export function headersByDigest(client: OldClient, contentType: string): RequestHeaders {
  return client === 'containerd HEAD' ? containerdGetHeaders(contentType) : manifestRequestHeaders[client];
}

/** The digest that clients compute: of signed schema 1 that of the signed bytes, of all else that of all bytes. */
export async function digestThatClientsCompute(manifest: Answer): Promise<string> {
  const signed = manifest.header('Content-Type') === mediaTypes.schema1Signed;
  return sha256Of(signed ? readSignedSchema1(manifest.body).payload : manifest.body);
}

/**
 * Pulls as a client does: all content that a manifest names must exist and have its digest.
 * @throws Error with the first content that is missing or wrong.
 */
export async function pull(app: TestApp, client: OldClient, name: string, tag = 'latest'): Promise<Pulled> {
  const root = await app.get(`/v2/${name}/manifests/${tag}`, manifestRequestHeaders[client]);
  if (root.status !== 200) throw new Error(`${name}:${tag}: ${root.status} ${root.text()}`);
  const manifests = new Map<string, Answer>();
  const blobs = new Map<string, Uint8Array>();

  const visit = async (manifest: Answer): Promise<void> => {
    const isList = listTypes.includes(manifest.header('Content-Type') ?? '');
    const types = childTypes(manifest.body);
    for (const digest of childrenOf(manifest.body)) {
      if (!isList) {
        blobs.set(digest, await blob(app, name, digest));
      } else if (!manifests.has(digest)) {
        const headers = headersByDigest(client, types.get(digest) ?? '');
        const child = await app.get(`/v2/${name}/manifests/${digest}`, headers);
        if (child.status !== 200) throw new Error(`${name}@${digest}: ${child.status} ${child.text()}`);
        if ((await digestThatClientsCompute(child)) !== digest)
          throw new Error(`${digest} is something else`);
        manifests.set(digest, child);
        await visit(child);
      }
    }
  };
  await visit(root);
  return { root, manifests, blobs };
}

async function blob(app: TestApp, name: string, digest: string): Promise<Uint8Array> {
  const answer = await app.get(`/v2/${name}/blobs/${digest}`);
  if (answer.status !== 200) throw new Error(`blob ${digest}: ${answer.status} ${answer.text()}`);
  if ((await sha256Of(answer.body)) !== digest) throw new Error(`the blob ${digest} is something else`);
  return answer.body;
}

function childTypes(list: Uint8Array): ReadonlyMap<string, string> {
  const { manifests = [] } = JSON.parse(new TextDecoder().decode(list)) as {
    manifests?: { digest: string; mediaType: string }[];
  };
  return new Map(manifests.map(({ digest, mediaType }) => [digest, mediaType]));
}

/** The digests of the layers of an image manifest of any dialect. */
export function layersOf(manifest: Uint8Array): readonly string[] {
  const { layers = [], fsLayers = [] } = JSON.parse(new TextDecoder().decode(manifest)) as {
    layers?: { digest: string }[];
    fsLayers?: { blobSum: string }[];
  };
  return [...layers.map(({ digest }) => digest), ...fsLayers.map(({ blobSum }) => blobSum)];
}
