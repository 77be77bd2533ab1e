import type { SigningKey } from '../../../converters/crypto/signing-key.ts';
import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import type { Layer } from '../../../converters/model.ts';
import type { ConversionPorts, LayerFacts } from '../../../converters/ports.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { Failure, type FailureCode } from '../../errors.ts';
import type { Caller } from '../../upstream/request-context.ts';
import type { Content } from '../content-store.ts';

export interface PortSources {
  readonly content: Content;
  readonly signingKey: () => Promise<SigningKey>;
  /** What only reading a whole layer tells. */
  readonly readingFor: (repository: RepositoryName, caller: Caller) => (layer: Layer) => Promise<LayerFacts>;
}

/** What conversions need, out of one repository and with the caller's right. */
export function conversionPorts(
  { content, signingKey, readingFor }: PortSources,
  repository: RepositoryName,
  caller: Caller,
): ConversionPorts {
  const manifest = async (digest: Digest) => (await content.manifest(repository, digest, caller)).bytes;
  const read = readingFor(repository, caller);
  return {
    fetchManifest: ({ digest }) => manifest(digest).catch(asUnavailable),
    fetchBlob: ({ digest }) => content.blob(repository, digest, caller).catch(asUnavailable),
    sniffLayer: ({ digest }) => content.sniff(repository, digest, caller).catch(asUnavailable),
    layerFacts: (layer) => read(layer).catch(asUnavailable),
    signingKey,
  };
}

/**
 * What upstream does not have is no reason to give up an index: its entry is left out. What is broken, refused or not
 * to be had at the moment is.
 */
function asUnavailable(error: unknown): never {
  const code = error instanceof Failure ? absence[error.code] : undefined;
  if (code === undefined) throw error;
  throw new ConversionError({ code, message: (error as Failure).message });
}

const absence: Readonly<Partial<Record<FailureCode, 'UNAVAILABLE' | 'SIGNATURE'>>> = {
  MANIFEST_UNKNOWN: 'UNAVAILABLE',
  BLOB_UNKNOWN: 'UNAVAILABLE',
  UNSIGNED: 'SIGNATURE',
};
