import type { Digest } from '../../../converters/digest.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import type { ClientHeaders } from '../../negotiation/known-clients.ts';
import type { ClientRequest } from '../client-request.ts';
import type { StoredManifest } from '../content-store.ts';
import type { Registry } from '../registry.ts';

/** An image of a registry, and requests for it as clients send them: for commands, and for the page of the proxy. */
export interface InspectedImage {
  readonly registry: Registry;
  /** The repository by its name upstream. */
  readonly name: RepositoryName;
  readonly reference: Reference;
  /** Makes the request that the proxy sees from a client. */
  request(client: ClientHeaders, more?: Pick<ClientRequest, 'onSelection'>): ClientRequest;
  /** A request that accepts every type, so that the response is the stored content. */
  readonly plain: ClientRequest;
}

/** Gets the manifest that the registry stores under the name of an image. @throws RegistryError; ConversionError. */
export async function storedManifest({
  registry,
  name,
  reference,
  plain,
}: InspectedImage): Promise<StoredManifest & { readonly digest: Digest }> {
  const { digest } = await registry.stored.resolve(name, reference, plain.context);
  return { digest, ...(await registry.stored.getManifest(name, digest, plain.context)) };
}
