import { type Digest, sha256Hex } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { utf8 } from './bytes.ts';
import type { SampleContent, SampleDescriptor } from './content.ts';
import { gzip } from './gzip.ts';
import { runConfig, type SampleImage } from './image.ts';

/** The indent of Docker's own writer, in spaces. */
const indent = 3;

/** The empty layer, a gzipped tar without files, that Docker ≤ 1.9 pushed for each instruction without files. */
const emptyBlob = 'H4sIAAAJbogA/2IYBaNgFIxYAAgAAP//Lq+17wAEAAA=';

/** The id of a layer. Docker ≤ 1.9 chose it at random; here it is the same in every runtime. */
export function layerId(index: number): string {
  return sha256Hex(`regshift sample layer ${index}`);
}

/** A signed manifest as Docker 1.9 stored it. Its digest is that of the payload, without the signature. */
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

/**
 * The manifest without a signature. The newest entry is first, and each has a blob; only blob and Size mark an empty
 * layer.
 */
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

/**
 * The signature of the payload that `schema1Signed` builds for `sample/schema1`. It was made once with a P-256 key that
 * no longer exists, because ES256 uses random numbers and the sample must have the same bytes everywhere. If the
 * payload changes, the test of the signature fails; sign the new payload then, and replace this block.
 */
const schema1Signature = {
  header: {
    jwk: {
      crv: 'P-256',
      kid: 'WYBS:CSCH:A22S:XLES:ISAS:GMJX:54KF:DNWF:BYCU:USXP:TNX4:OE4F',
      kty: 'EC',
      x: 'iaG6hLsiRf8ZY8Du566qUNfCznCkiUtxcX0yy563XM8',
      y: 'Db53KvNZFRj8-4Op3LaMnsjtnaDBm4zSOaOrJr3ftzQ',
    },
    alg: 'ES256',
  },
  signature: 'cbv-JPh1zJjzsOzGb8X9i34euCDSzyHrRkHNXflvxGGk8KPHdbpkMnUJjPPhiDILSLf7m7GSI6xCAYwubkINng',
  protected: 'eyJmb3JtYXRMZW5ndGgiOjI0MDksImZvcm1hdFRhaWwiOiJDbjAiLCJ0aW1lIjoiMjAxNS0xMS0yMFQxMjowMDowMloifQ',
} as const;
