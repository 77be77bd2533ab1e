import { type Digest, isDigest } from '../../../converters/digest.ts';
import { limits } from '../../../converters/limits.ts';
import { readBounded } from '../../upstream/body.ts';

/** A registry's answer to a manifest that it does not take. */
export interface PushRefusal {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Digests in its words: registries name the content that they lack. */
  readonly digests: readonly Digest[];
}

export function isRefusal({ status }: Response): boolean {
  return status === 400 || status === 404;
}

/** @throws RegistryError as `readBounded`. */
export async function readRefusal(response: Response): Promise<PushRefusal> {
  const body = await readBounded(response, limits.documentBytes, 'an error');
  const said: readonly string[] =
    new TextDecoder().decode(body).match(/\bsha\d{3}:[0-9a-f]{64,128}\b/g) ?? [];
  return { body: body as Uint8Array<ArrayBuffer>, digests: said.filter(isDigest) };
}
