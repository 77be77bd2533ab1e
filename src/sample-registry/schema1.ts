import { type Digest, sha256Hex } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { utf8 } from './bytes.ts';
import type { SampleContent, SampleDescriptor } from './content.ts';
import { gzip } from './gzip.ts';
import { runConfig, type SampleImage } from './image.ts';
import { schema1Signature } from './schema1-signature.ts';

/** Docker's own writer indents by three spaces. */
const indent = 3;

/** The gzipped tar of nothing that Docker ≤ 1.9 pushed for every instruction without files. */
const emptyBlob = 'H4sIAAAJbogA/2IYBaNgFIxYAAgAAP//Lq+17wAEAAA=';

/** The random id that Docker ≤ 1.9 would have given to a layer; here the same on every runtime. */
export function layerId(index: number): string {
  return sha256Hex(utf8(`regshift sample layer ${index}`));
}

/** What Docker 1.9 stored, signed: its digest is that of the payload, without the signature. */
export function schema1Signed(
  content: SampleContent,
  repository: string,
  image: SampleImage,
): SampleDescriptor {
  const payload = schema1Payload(content, repository, image);
  const tail = JSON.stringify({ signatures: [schema1Signature] }, null, indent).slice('{'.length);
  const head = payload.slice(0, -'\n}'.length);
  return content.addManifest(mediaTypes.schema1Signed, utf8(`${head},${tail}`), utf8(payload));
}

export function schema1Unsigned(
  content: SampleContent,
  repository: string,
  image: SampleImage,
): SampleDescriptor {
  return content.addManifest(mediaTypes.schema1, utf8(schema1Payload(content, repository, image)));
}

/** Newest first, and every entry has a blob. An empty one is told by its blob and by its Size, not by a mark. */
function schema1Payload(content: SampleContent, repository: string, image: SampleImage): string {
  const real = image.layers.map((layer) => ({
    blobSum: content.addBlob(mediaTypes.dockerLayerGzip, gzip(layer.tar)).digest,
    instruction: layer.instruction,
    size: layer.tar.length,
  }));
  const empty = {
    blobSum: content.addBlob(mediaTypes.dockerLayerGzip, fromBase64(emptyBlob)).digest,
    instruction: '#(nop) CMD ["cat" "/hello.txt"]',
    size: 0,
  };
  const entries: V1Entry[] = [...real, empty];
  const document = {
    schemaVersion: 1,
    name: repository,
    tag: 'latest',
    architecture: image.platform.architecture,
    fsLayers: entries.map(({ blobSum }) => ({ blobSum })).toReversed(),
    history: entries.map((entry, index) => ({ v1Compatibility: v1Json(entry, index, image) })).toReversed(),
  };
  return JSON.stringify(document, null, indent);
}

interface V1Entry {
  readonly blobSum: Digest;
  readonly instruction: string;
  readonly size: number;
}

function v1Json({ instruction, size }: V1Entry, index: number, image: SampleImage): string {
  return JSON.stringify({
    id: layerId(index),
    ...(index === 0 ? {} : { parent: layerId(index - 1) }),
    created: `2015-11-20T12:00:0${index}.5Z`,
    container_config: { ...runConfig, Cmd: ['/bin/sh', '-c', instruction] },
    docker_version: '1.9.1',
    config: runConfig,
    architecture: image.platform.architecture,
    os: image.platform.os,
    Size: size,
  });
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
