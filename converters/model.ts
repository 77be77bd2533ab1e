import type { JWK } from 'jose';
import type { Labels } from './annotations.ts';
import type { Digest } from './digest.ts';
import type { Dialect } from './errors.ts';
import type { RawDocument, RawObject } from './json/document.ts';
import type { Field } from './json/fields.ts';
import type { Compression } from './media-types.ts';
import type { Platform } from './platform.ts';

/**
 * The neutral model: a target, its dependencies, labels — the shape of the generic manifest of distribution
 * proposals 62 and 993. Each dialect's reader makes it, each writer reads it; nothing else is shared.
 */
export type Model = Image | Index;

/** One platform's image. */
export interface Image {
  readonly kind: 'image';
  readonly source: Source;
  /** What the image is: its config, or in schema 1 the v1 images that stand in for one. */
  readonly target: ConfigTarget | V1Target;
  /** What it is made of, layers base first. */
  readonly dependencies: readonly Layer[];
  /** Dependencies that are no layers (a licence, a signature, another manifest); only generic manifests have them. */
  readonly attachments: readonly Descriptor[];
  readonly labels: Labels;
  /** OCI 1.1: the manifest that this one is about. */
  readonly subject: Descriptor | undefined;
}

/** Several images under one name, one a platform: the target of a fat manifest is the choice itself. */
export interface Index {
  readonly kind: 'index';
  readonly source: Source;
  /** Of a fat generic manifest: the blob that may name the platforms where the entries do not. */
  readonly platformTable: Descriptor | undefined;
  readonly dependencies: readonly IndexEntry[];
  readonly labels: Labels;
  readonly subject: Descriptor | undefined;
}

/** Where a model was read from. Writers of the same family keep its layout: white space, key order, extra keys. */
export interface Source {
  readonly dialect: Dialect;
  /** The type that its body has, whatever the Content-Type said. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** What the registry calls it: of signed schema 1, the digest of the payload. */
  readonly digest: Digest;
  readonly document: RawDocument;
}

/** A target that is a blob: an image's config, or a v1 image JSON of 2015. */
export interface ConfigTarget {
  readonly kind: 'config';
  readonly descriptor: Descriptor;
}

/** The v1 images of schema 1, which stand for a config. */
export interface V1Target {
  readonly kind: 'v1';
  /** None when the manifest is unsigned. Read, not yet verified: see `verifySchema1`. */
  readonly signatures: readonly JsonWebSignature[];
  /** Newest first, as schema 1 lists them. */
  readonly entries: readonly V1Entry[];
  readonly platform: Platform | undefined;
}

/** What a manifest names: content by digest, with its type and size. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes; schema 1 does not say. */
  readonly size: number | undefined;
  readonly urls: readonly string[];
  readonly labels: Labels;
  /** The descriptor as written, where it was. */
  readonly field: Field<RawObject> | undefined;
}

/** A layer, and how it is packed. */
export interface Layer extends Descriptor {
  readonly compression: Compression;
  readonly foreign: boolean;
  readonly encrypted: boolean;
}

/** An entry of an index, and the platform that it is for. */
export interface IndexEntry extends Descriptor {
  readonly platform: Platform | undefined;
  readonly artifactType: string | undefined;
  /** A build attestation, not an image (buildkit: platform unknown/unknown, or its annotation). */
  readonly attestation: boolean;
}

/** What kind of thing a form cannot carry; the table in `convert.ts` says which forms lose which. */
export type LossKind =
  /** Annotations or labels. */
  | 'annotations'
  /** The manifest that an OCI manifest or index is about. */
  | 'subject'
  | 'artifactType'
  /** A descriptor's content, embedded (OCI image-spec 1.1, descriptor.md). */
  | 'data'
  /** Other places to download a blob from. */
  | 'urls'
  /** Dependencies of a generic manifest that are no layers. */
  | 'attachments'
  /** History entries without a layer. */
  | 'history'
  /** What schema 1 was signed with: the signature covers that document alone. */
  | 'signatures'
  /** Entries of an index that could not be had: made again another day, there may be more in it. */
  | 'missing'
  /** Entries of an index. */
  | 'entries'
  /** Details of an entry's platform. */
  | 'platform'
  /** Members that no dialect defines. */
  | 'unknown';

/** Something that the form asked for cannot carry; told with the result, so that callers can show it. */
export interface Loss {
  readonly kind: LossKind;
  /** Where it stood in the source, like `$.annotations`. */
  readonly path: string;
  /** For a person, as the end of a sentence that begins with the path. */
  readonly reason: string;
}

/** One signature block of a libtrust "pretty JWS", as written. */
export interface JsonWebSignature {
  readonly algorithm: string;
  readonly key: PublicKey;
  readonly signature: string;
  readonly protected: string;
}

/** The key that came with a signature. */
export type PublicKey =
  | { readonly kind: 'jwk'; readonly jwk: JWK; readonly keyId: string | undefined }
  /** The first of a chain of certificates, DER in base64; whom it belongs to is not looked at. */
  | { readonly kind: 'certificate'; readonly base64: string };

/** One entry of a schema 1 `history`: the v1 image that a layer was, read from `v1Compatibility`. */
export interface V1Entry {
  /** 64 hex digits. */
  readonly id: string;
  /** "" for the base. */
  readonly parent: string;
  /** Made no files: marked so by registries that converted schema 2. */
  readonly throwaway: boolean;
  readonly document: RawDocument;
  readonly root: RawObject;
}
