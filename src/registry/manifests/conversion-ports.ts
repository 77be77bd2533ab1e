import type { SigningKey } from '../../../converters/crypto/signing-key.ts';
import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import type { Layer } from '../../../converters/model.ts';
import type { ConversionPorts, LayerFacts, TakeTurn } from '../../../converters/ports.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { type ErrorCode, RegistryError } from '../../errors.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { ContentStore } from '../content-store.ts';

export interface PortSources {
  readonly content: ContentStore;
  readonly signingKey: () => Promise<SigningKey>;
  readonly turn: TakeTurn;
  /** Facts of a layer that take reading all of it. */
  readonly readingFor: (
    repository: RepositoryName,
    context: RequestContext,
  ) => (layer: Layer) => Promise<LayerFacts>;
}

/** The ports of a conversion: content of one repository, with the credential of the request. */
export function conversionPorts(
  { content, signingKey, turn, readingFor }: PortSources,
  repository: RepositoryName,
  context: RequestContext,
): ConversionPorts {
  const manifest = async (digest: Digest) => (await content.getManifest(repository, digest, context)).bytes;
  const read = readingFor(repository, context);
  return {
    fetchManifest: ({ digest }) => manifest(digest).catch(asUnavailable),
    fetchBlob: ({ digest }) => content.getBlob(repository, digest, context).catch(asUnavailable),
    sniffLayer: ({ digest }) => content.learnCompression(repository, digest, context).catch(asUnavailable),
    layerFacts: (layer) => read(layer).catch(asUnavailable),
    signingKey,
    turn,
  };
}

/**
 * Content that upstream does not have does not end the conversion of an index: its entry is left out. Content that is
 * broken, refused or not available at the moment does.
 */
function asUnavailable(error: unknown): never {
  const code = error instanceof RegistryError ? absence[error.code] : undefined;
  if (code === undefined) throw error;
  throw new ConversionError({ code, message: (error as RegistryError).message }, { cause: error });
}

const absence: Readonly<Partial<Record<ErrorCode, 'UNAVAILABLE' | 'SIGNATURE'>>> = {
  MANIFEST_UNKNOWN: 'UNAVAILABLE',
  BLOB_UNKNOWN: 'UNAVAILABLE',
  UNSIGNED: 'SIGNATURE',
};
