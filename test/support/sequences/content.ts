import { type Digest, digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import { utf8 } from '../../../src/sample-registry/bytes.ts';
import {
  emptyContent,
  json,
  type SampleContent,
  type SampleDescriptor,
} from '../../../src/sample-registry/content.ts';
import { dockerList, schema2 } from '../../../src/sample-registry/docker.ts';
import { fatGenericWithLabels, generic62 } from '../../../src/sample-registry/generic.ts';
import { amd64, arm64, sampleImage } from '../../../src/sample-registry/image.ts';
import {
  helmChart,
  ociIndex,
  ociIndexWithAttestations,
  ociManifest,
  zstdLayers,
} from '../../../src/sample-registry/oci.ts';
import { schema1Signed, schema1Unsigned } from '../../../src/sample-registry/schema1.ts';

/** A manifest that clients push, with everything that it names. */
export interface TestDocument {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  /** The manifests that it names, children first. */
  readonly children: readonly Pick<TestDocument, 'mediaType' | 'bytes' | 'digest'>[];
}

function document(name: string, build: (content: SampleContent) => SampleDescriptor): TestDocument {
  const content = emptyContent();
  const { digest, mediaType } = build(content);
  const root = content.manifests.get(digest);
  if (root === undefined) throw new Error(`${name} has no manifest`);
  const children = [...content.manifests.values()].filter((each) => each.digest !== digest);
  return { name, mediaType, bytes: root.bytes, digest, blobs: content.blobs, children };
}

const image = sampleImage('sequence/a');
const forArm = sampleImage('sequence/a', arm64);
const platforms = (of: (content: SampleContent, each: typeof image) => SampleDescriptor) => {
  return (content: SampleContent) => [
    { platform: amd64, manifest: of(content, image) },
    { platform: arm64, manifest: of(content, forArm) },
  ];
};
const ociPlatforms = platforms((content, each) => ociManifest(content, each));
const zstdPlatforms = platforms((content, each) => ociManifest(content, each, zstdLayers));
const dockerPlatforms = platforms((content, each) => schema2(content, each));

/** An OCI manifest or index without `mediaType`, as umoci and older versions of BuildKit write it. */
function withoutType(of: SampleDescriptor, content: SampleContent): SampleDescriptor {
  const written = content.manifests.get(of.digest)?.bytes;
  const { mediaType: _, ...rest } = JSON.parse(new TextDecoder().decode(written)) as Record<string, unknown>;
  return content.addManifest(of.mediaType, json(rest));
}

function withAnnotations(content: SampleContent): SampleDescriptor {
  const { digest, mediaType } = ociManifest(content, image);
  const written = JSON.parse(new TextDecoder().decode(content.manifests.get(digest)?.bytes)) as object;
  return content.addManifest(mediaType, json({ ...written, annotations: { 'org.example.of': 'a test' } }));
}

/** A signature as cosign and notation attach it: an artifact with a subject. */
function signature(content: SampleContent): SampleDescriptor {
  const subject = ociManifest(content, image);
  const config = content.addBlob('application/vnd.oci.empty.v1+json', utf8('{}'));
  const layer = content.addBlob('application/vnd.dev.cosign.simplesigning.v1+json', utf8('{"critical":{}}'));
  const artifact = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer], subject };
  return content.addManifest(mediaTypes.ociManifest, json(artifact));
}

/** In the order in which a shrunk sequence prefers them. */
export const documents: readonly TestDocument[] = [
  document('an OCI image', (content) => ociManifest(content, image)),
  document('a schema 2 image', (content) => schema2(content, image)),
  document('another schema 2 image', (content) => schema2(content, sampleImage('sequence/b'))),
  document('a schema 2 image with empty layers', (content) =>
    schema2(content, sampleImage('sequence/c', amd64, 'with-empty-entries')),
  ),
  document('a schema 2 image with plain tars', (content) => schema2(content, image, 'none')),
  document('an OCI image with zstd layers', (content) => ociManifest(content, image, zstdLayers)),
  document('an OCI image without mediaType', (content) => withoutType(ociManifest(content, image), content)),
  document('an OCI image with annotations', withAnnotations),
  document('an OCI image without history', (content) =>
    ociManifest(content, sampleImage('sequence/a', amd64, 'none')),
  ),
  document('an OCI index', (content) => ociIndex(content, ociPlatforms(content))),
  document("Docker's list", (content) => dockerList(content, dockerPlatforms(content))),
  document('an OCI index with attestations', (content) =>
    ociIndexWithAttestations(content, ociPlatforms(content)),
  ),
  document('an OCI index with zstd layers', (content) => ociIndex(content, zstdPlatforms(content))),
  document('an OCI index without mediaType', (content) =>
    withoutType(ociIndex(content, ociPlatforms(content)), content),
  ),
  document('a chart', (content) => helmChart(content, image)),
  document('a signature', signature),
  document('signed schema 1', (content) =>
    schema1Signed(content, 'sample/schema1', sampleImage('sample/schema1')),
  ),
  document('unsigned schema 1', (content) => schema1Unsigned(content, 'sequence/a', image)),
  document('a generic manifest', (content) => generic62(content, image)),
  document('a fat generic manifest', (content) => fatGenericWithLabels(content, [image, forArm])),
  document('an empty object', (content) => content.addManifest(mediaTypes.ociManifest, utf8('{}'))),
  document('no JSON', (content) => content.addManifest(mediaTypes.schema2, utf8('manifest'))),
  document('an OCI image labelled schema 2', (content) => {
    const { digest } = ociManifest(content, image);
    return content.addManifest(mediaTypes.schema2, withSpace(content.manifests.get(digest)?.bytes));
  }),
];

/** The same document with other bytes. */
function withSpace(bytes: Uint8Array | undefined): Uint8Array {
  return utf8(`${new TextDecoder().decode(bytes)}\n`);
}

/** Blobs that clients upload and ask for. The first one belongs to no image. */
export const blobs: readonly Uint8Array[] = [
  utf8('a blob of no image'),
  new Uint8Array(0),
  ...new Map(documents.slice(0, 6).flatMap((each) => [...each.blobs])).values(),
];

export const digestsOfBlobs: readonly Digest[] = blobs.map((each) => digestOf(each));
