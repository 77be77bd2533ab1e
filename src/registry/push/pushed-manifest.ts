import { type Digest, digestOf } from '../../../converters/digest.ts';
import { unlessUnreadable } from '../../../converters/errors.ts';
import { namesImage } from '../../../converters/indexes/entries.ts';
import {
  asDigest,
  asItems,
  asObject,
  asString,
  type Field,
  optional,
  optionalString,
  rootField,
} from '../../../converters/json/fields.ts';
import { encodeText } from '../../../converters/json/lossless-text.ts';
import { bareMediaType, mediaTypes, schema1Types } from '../../../converters/media-types.ts';
import type { Model } from '../../../converters/model.ts';
import { readManifest, readSketch, type Sketch, sketchManifest } from '../../../converters/read.ts';

/** A manifest that a client pushes, as far as regshift reads it. */
export type PushedManifest = PushedImage | PushedArtifact;

interface Pushed {
  readonly mediaType: string;
  /** The digest that the client computes: of signed schema 1, that of the payload. */
  readonly digest: Digest;
  /** The bytes that have this digest. */
  readonly bytes: Uint8Array;
}

/** An image or an index. */
export interface PushedImage extends Pushed {
  readonly kind: 'image' | 'index';
  /** With the signatures of schema 1. */
  readonly model: Model;
}

/** A manifest in the form of an image that is none: an attestation, a chart, a signature. */
export interface PushedArtifact extends Pushed {
  readonly kind: 'artifact';
  /** Whether BuildKit made it, to be named by an index. */
  readonly attestation: boolean;
  readonly subject: Digest | undefined;
  /** Its config and layers. */
  readonly blobs: readonly Digest[];
}

/**
 * Reads the manifest of a push.
 * @param contentType the Content-Type of the request; null for none.
 * @returns undefined for a document that regshift does not read, or that is not what its Content-Type says: the registry
 *   judges it.
 */
export function readPushed(bytes: Uint8Array, contentType: string | null): PushedManifest | undefined {
  const type = typeIn(contentType);
  if (type === undefined) return undefined;
  return unlessUnreadable(() => {
    const sketch = sketchManifest(bytes, type);
    return isOfType(sketch, type) ? manifestOf(sketch) : undefined;
  });
}

/** Reads a manifest that an earlier push kept as a blob. @returns undefined for a blob that is no manifest. */
export function readKept(bytes: Uint8Array): PushedManifest | undefined {
  return unlessUnreadable(() => manifestOf(sketchManifest(bytes)));
}

function manifestOf(sketch: Sketch): PushedManifest {
  return unlessUnreadable(() => imageOf(sketch), 'NOT_AN_IMAGE') ?? artifactOf(sketch);
}

/**
 * A media type with its parameters, as Go reads it (mime.ParseMediaType), without spaces at its end: two parts of the
 * pattern that both match spaces would try each place between them.
 */
const contentTypePattern = /^[^;]*(;\s*[^\s;="]+\s*=\s*("[^"]*"|[^\s;"]+)\s*)*;?$/;

/** The media type of a Content-Type, which may be empty. @returns undefined for one with broken parameters. */
function typeIn(contentType: string | null): string | undefined {
  const text = contentType ?? '';
  return contentTypePattern.test(text.trimEnd()) ? bareMediaType(text) : undefined;
}

/**
 * Content-Types of schema 1, signed or not. Docker 1.6 to 1.9 send none, and docker-registry reads schema 1 where it
 * knows no other reader (distribution 2.8, manifest/schema1/manifest.go, init, and manifests.go, UnmarshalManifest).
 */
const schema1ContentTypes: readonly string[] = ['', mediaTypes.json, mediaTypes.schema1];

/**
 * Whether a manifest is what its Content-Type says: its shape, and the `mediaType` that it states. Registries refuse
 * all others, and then it is not the form that they refuse (distribution 2.8: manifest/schema2/manifest.go,
 * manifest/manifestlist/manifestlist.go and manifest/ocischema/manifest.go, UnmarshalJSON).
 */
function isOfType({ mediaType, document }: Sketch, contentType: string): boolean {
  const stated = optionalString(asObject(rootField(document)), 'mediaType');
  if (schema1Types.includes(mediaType)) {
    const fits = contentType === mediaType || schema1ContentTypes.includes(contentType);
    return fits && (stated === undefined || schema1Types.includes(stated));
  }
  const mayBeUnstated = mediaType !== mediaTypes.schema2 && mediaType !== mediaTypes.dockerList;
  return contentType === mediaType && (stated === mediaType || (stated === undefined && mayBeUnstated));
}

/**
 * Whether a manifest is an image or an index of images. Artifacts have one form alone, and so have indexes of
 * attestations, of artifacts (the fallback for referrers, OCI distribution-spec 1.1, "Pushing Manifests with Subject")
 * or of cached layers (BuildKit).
 */
export function isOfImages(manifest: PushedManifest): manifest is PushedImage {
  if (manifest.kind === 'artifact') return false;
  const { model } = manifest;
  if (model.kind === 'image') return true;
  return model.dependencies.some(namesImage);
}

/** The manifest without the signatures of schema 1, as it is read again later. @throws ConversionError. */
export function withoutSignatures({ model, bytes, mediaType }: PushedImage): Model {
  return mediaType === mediaTypes.schema1Signed ? readManifest(bytes) : model;
}

function imageOf(sketch: Sketch): PushedImage {
  const model = readSketch(sketch);
  const { digest, mediaType, document } = model.source;
  // The reader of schema 1 leaves the payload alone in the document.
  const bytes = mediaType === mediaTypes.schema1Signed ? encodeText(document.text) : sketch.bytes;
  return { kind: model.kind, mediaType, digest, bytes, model };
}

function artifactOf({ mediaType, document, bytes }: Sketch): PushedArtifact {
  const root = asObject(rootField(document));
  const config = optional(root, 'config');
  const list = optional(root, 'layers');
  const layers = list ? asItems(list) : [];
  const subject = optional(root, 'subject');
  return {
    kind: 'artifact',
    mediaType,
    digest: digestOf(bytes),
    bytes,
    attestation: isAttestation(root, layers),
    subject: subject && digestIn(subject),
    blobs: [...(config ? [config] : []), ...layers].map(digestIn),
  };
}

function digestIn(descriptor: Field): Digest {
  const digest = optional(asObject(descriptor), 'digest');
  return asDigest(digest ?? descriptor);
}

/** BuildKit's attestations (buildkit, exporter/containerimage/writer.go, commitAttestationsManifest). */
function isAttestation(root: ReturnType<typeof asObject>, layers: readonly Field[]): boolean {
  const artifactType = optional(root, 'artifactType');
  if (artifactType && asString(artifactType) === 'application/vnd.docker.attestation.manifest.v1+json') {
    return true;
  }
  const types = layers.map((layer) => optional(asObject(layer), 'mediaType'));
  return types.length > 0 && types.every((type) => type && asString(type) === 'application/vnd.in-toto+json');
}
