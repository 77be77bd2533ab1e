import { convertImage } from '../../../converters/images/convert-image.ts';
import type { Layer } from '../../../converters/model.ts';
import { openByteSource } from '../../layers/byte-stream.ts';
import { verifyingStream } from '../../layers/verify.ts';
import { createNodeLayerCodec } from '../../runtime/node/layers/codec.ts';
import { fetchBlob } from '../../upstream/api/blobs.ts';
import { contentLength } from '../../upstream/body.ts';
import { layoutPath } from '../images/layout-path.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import { type Archived, partsOf, type SavedImage, tagsOf } from './saved-image.ts';

/**
 * Writes an OCI layout (image-spec 1.1, image-layout.md) with the layers as the registry stores them, whose sizes are known
 * before their content, and a `manifest.json` for the same blobs, like `docker save` from Docker 25 on (moby 25.0,
 * image/tarexport/save.go), whose layers are plain tars. An OCI image keeps its digest.
 */
export async function writeOciArchive(archive: ArchiveWriter, saved: SavedImage): Promise<Archived> {
  const converted = await convertImage(saved.image, 'oci', saved.context);
  const { config, configBytes, layers } = await partsOf(converted, saved.context);
  await archive.bytes('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await archive.bytes(layoutPath(config.digest), configBytes);
  const different = new Map(layers.map((layer) => [layer.digest, layer]));
  for (const layer of different.values()) await writeLayer(archive, layer, saved);
  const { digest, mediaType, body } = converted;
  if (digest !== config.digest) await archive.bytes(layoutPath(digest), body);
  const entry = { mediaType, digest, size: body.length, ...annotationsOf(saved) };
  await archive.bytes('index.json', JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  const described = [
    {
      Config: layoutPath(config.digest),
      RepoTags: tagsOf(saved),
      Layers: layers.map((layer) => layoutPath(layer.digest)),
    },
  ];
  await archive.bytes('manifest.json', `${JSON.stringify(described)}\n`);
  return { id: config.digest, losses: converted.losses };
}

async function writeLayer(
  archive: ArchiveWriter,
  { digest, size: stated }: Layer,
  { source, onRead }: SavedImage,
): Promise<void> {
  const { registry, name, plain } = source;
  const { body, headers } = await fetchBlob(registry.client, name, digest, plain.context, { what: 'layer' });
  // A manifest may state a wrong size; the digest decides about the content.
  const size = contentLength({ headers }) ?? stated ?? 0;
  const what = `layer ${digest}`;
  const verified = verifyingStream(
    body,
    { digest, size },
    { codec: createNodeLayerCodec(), what, relation: 'should be' },
  );
  const content = openByteSource(verified, what);
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const bytes of content.chunks()) {
      onRead(bytes.length);
      yield bytes;
    }
  }
  await archive.stream(layoutPath(digest), size, counted());
}

/**
 * The annotations that `docker save` writes (moby 25.0, image/tarexport/save.go), and from which containerd takes the
 * name of the image (containerd 2.1, client/import.go, `imageName`).
 */
function annotationsOf({ repository, tag }: SavedImage) {
  if (repository === undefined || tag === undefined) return {};
  return {
    annotations: {
      'io.containerd.image.name': `${fullName(repository)}:${tag}`,
      'org.opencontainers.image.ref.name': tag,
    },
  };
}

/**
 * The name with the host of Docker Hub, which the engine's names leave out (distribution/reference, normalize.go,
 * `splitDockerDomain`).
 */
function fullName(repository: string): string {
  const [first = '', ...others] = repository.split('/');
  if (others.length === 0) return `docker.io/library/${repository}`;
  return /[.:]|^localhost$/.test(first) ? repository : `docker.io/${repository}`;
}
