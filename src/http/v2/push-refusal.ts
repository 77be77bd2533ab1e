import { type Digest, isDigest } from '../../../converters/digest.ts';
import { limits } from '../../../converters/limits.ts';
import { encodingOf, readBounded } from '../../upstream/body.ts';
import { isWebPage } from '../../upstream/error-response.ts';

/** A registry's refusal of a manifest. */
export interface PushRefusal {
  readonly response: Response;
  /** The body of the response, which is read. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** The codes of its errors; empty for a body without them. */
  readonly codes: readonly string[];
  /** Digests in its text: registries name the content that they lack. */
  readonly digests: readonly Digest[];
}

/** Statuses of refusals that regshift may be able to do something about. */
const statuses: readonly number[] = [400, 404, 405, 415];

/** A refusal whose body has an encoding tells no reason. */
export function isRefusal(response: Response): boolean {
  return statuses.includes(response.status) && encodingOf(response) === undefined;
}

/** Whether a response may be the refusal of schema 1 by docker-registry 2.8 (`refusesForm`). */
export function isHidden(response: Response): boolean {
  return response.status === 500 && encodingOf(response) === undefined;
}

/** @throws RegistryError as `readBounded`. */
export async function readRefusal(response: Response): Promise<PushRefusal> {
  const body = await readBounded(response, limits.documentBytes, 'an error');
  const text = new TextDecoder().decode(body);
  const said: readonly string[] = text.match(/\bsha\d{3}:[0-9a-f]{64,128}\b/g) ?? [];
  return {
    response,
    body: body as Uint8Array<ArrayBuffer>,
    codes: codesIn(text),
    digests: said.filter(isDigest),
  };
}

/** The response again, for the client. */
export function responseOf({ response, body }: PushRefusal): Response {
  return new Response(body, response);
}

/** The codes of a registry's errors (distribution-spec 1.1, "Error Codes"). */
function codesIn(text: string): string[] {
  try {
    const { errors = [] } = JSON.parse(text) as { errors?: readonly { code?: unknown }[] };
    return errors.flatMap(({ code }) => (typeof code === 'string' ? [code] : []));
  } catch {
    return [];
  }
}

/**
 * Whether a registry refuses the form of a manifest, as far as its response tells. docker-registry answers
 * MANIFEST_INVALID to a type that it does not know (distribution 2.8, registry/handlers/manifests.go, PutManifest), and
 * 500 UNKNOWN to schema 1, which its settings refuse by default (registry/storage/v1unsupportedhandler.go); others answer
 * 415, or 400 and 405 without a code.
 */
export function refusesForm({ response, codes }: PushRefusal): boolean {
  if (takesNoManifest(response)) return false;
  if (response.status === 500) return codes.length > 0 && codes.every((code) => code === 'UNKNOWN');
  if (codes.length > 0 && response.status !== 415) return codes.every((code) => code === 'MANIFEST_INVALID');
  // A page is that of a gateway, which reads no manifest. Registries in Java have pages for 405 and 415.
  if (response.status === 400 && isWebPage(response)) return false;
  return response.status !== 404;
}

/** Whether a registry takes no manifests at all, as docker-registry with `readonly` (registry/handlers/app.go). */
export function takesNoManifest({ status, headers }: Response): boolean {
  return status === 405 && !/\bPUT\b/i.test(headers.get('allow') ?? 'PUT');
}

/** Whether a registry refuses schema 1 as Gitea does (routers/api/packages/container/errors.go, `errUnsupported`). */
export function refusesSchema1({ response: { status }, codes }: PushRefusal): boolean {
  return status === 405 && codes.length > 0 && codes.every((code) => code === 'UNSUPPORTED');
}

/**
 * Whether a refusal may be about content that the manifest names. Quay answers MANIFEST_INVALID for that, too, and names
 * the content.
 */
export function isAboutContent(refusal: PushRefusal): boolean {
  const { digests } = refusal;
  return mayLackContent(refusal) && (digests.length > 0 || !refusesForm(refusal));
}

/** Whether a refusal has a status that registries have for missing content. */
export function mayLackContent({ response: { status } }: PushRefusal): boolean {
  return status === 400 || status === 404;
}

/** Whether a registry lacks content that a manifest names. */
export function lacksContent({ codes }: PushRefusal): boolean {
  return (
    codes.length > 0 && codes.every((code) => code.endsWith('BLOB_UNKNOWN') || code === 'MANIFEST_UNKNOWN')
  );
}
