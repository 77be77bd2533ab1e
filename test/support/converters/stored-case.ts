import type {
  Compression,
  ConversionContext,
  Digest,
  LayerFacts,
  SigningKey,
} from '../../../converters/index.ts';

/** A stored manifest, with all content that a conversion of it may need. */
export interface StoredCase {
  readonly name: string;
  /** The origin of the manifest, for people: a program with its options, or a specification. */
  readonly madeBy: string;
  /** The manifest to convert. */
  readonly root: Digest;
  readonly repository: string;
  readonly tag: string;
  readonly unpackZstd: boolean;
  /** Manifests, configs and platform tables. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
  readonly layers: ReadonlyMap<string, LayerFacts>;
}

/** A context whose ports have only the content of the case. */
export function contextOf(stored: StoredCase, signingKey: () => Promise<SigningKey>): ConversionContext {
  const document = async ({ digest }: { digest: Digest }) =>
    stored.documents.get(digest) ?? missing(stored, 'document', digest);
  const layer = ({ digest }: { digest: Digest }) =>
    stored.layers.get(digest) ?? missing(stored, 'layer', digest);
  return {
    ports: {
      fetchManifest: document,
      fetchBlob: document,
      sniffLayer: async (each): Promise<Compression> => layer(each).compression,
      layerFacts: async (each) => layer(each),
      signingKey,
    },
    name: stored.repository,
    tag: stored.tag,
    unpackZstd: stored.unpackZstd,
  };
}

function missing(stored: StoredCase, what: string, digest: string): never {
  throw new Error(`${stored.name} has no ${what} ${digest}`);
}
