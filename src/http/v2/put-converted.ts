import type { Converted } from '../../../converters/conversion.ts';
import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { loss } from '../../../converters/losses.ts';
import { schema1Types } from '../../../converters/media-types.ts';
import type { Loss } from '../../../converters/model.ts';
import { ignoring, RegistryError } from '../../errors.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import { type TargetForm, targetFormsOf } from '../../registry/manifests/target-forms.ts';
import { withManifest } from '../../registry/push/manifest-bodies.ts';
import { lackedBlob } from '../../registry/push/push-errors.ts';
import {
  isOfImages,
  type PushedArtifact,
  type PushedImage,
  type PushedManifest,
} from '../../registry/push/pushed-manifest.ts';
import { discard } from '../../upstream/body.ts';
import { hasStatus, isRefusalWithReason, isWritten, noticesOf } from '../../upstream/error-response.ts';
import { conversionText, loggedConversion } from '../conversion-text.ts';
import { forwardResponse } from '../forward-response.ts';
import { contentLocation } from '../location.ts';
import { apiVersion } from '../responses.ts';
import { type ManifestPush, putTo, readableManifest } from './manifest-push.ts';
import type { MissingContent } from './missing-content.ts';
import {
  isAboutContent,
  lacksContent,
  type PushRefusal,
  refusesForm,
  refusesSchema1,
  responseOf,
} from './push-refusal.ts';

/** Stores a refused manifest in another way. @returns undefined where there is none. */
export async function putOtherwise(
  push: ManifestPush,
  missing: MissingContent,
  refusal: PushRefusal,
): Promise<Response | undefined> {
  const { format } = push.registry.pushes.converter;
  if (format === 'asis') return undefined;
  const manifest = await readableManifest(push);
  if (manifest === undefined) return undefined;
  if (manifest.kind === 'artifact') return keepArtifact(push, manifest, refusal).catch(unlessRefused);
  const isSchema1Refused = schema1Types.includes(manifest.mediaType) && refusesSchema1(refusal);
  const isForm = refusesForm(refusal) || isSchema1Refused;
  if (format !== 'auto' || !isForm || !isOfImages(manifest)) return undefined;
  const outcome = await putConverted(push, missing, manifest, targetFormsOf(manifest.model)).catch(
    unlessRefused,
  );
  if (outcome === undefined || outcome instanceof Response) return outcome;
  // Where the registry takes no form, its answer to the pushed one is the answer.
  return refusesForm(outcome) ? undefined : forwardResponse(push.request, responseOf(outcome));
}

/** Where the registry refuses regshift's own uploads, its answer to the pushed manifest is the answer. */
const unlessRefused = ignoring((error) => isRefusalWithReason(error) && !hasStatus(error, 413));

/**
 * Converts a manifest to one of the forms and stores it.
 * @returns the refusal where upstream takes none of them.
 * @throws RegistryError MANIFEST_INVALID or MANIFEST_TOO_LARGE where no form can hold the manifest; as
 *   `PushConverter.prepare`.
 */
export async function putConverted(
  push: ManifestPush,
  missing: MissingContent,
  manifest: PushedImage,
  [form, ...others]: readonly [TargetForm, ...TargetForm[]],
): Promise<Response | PushRefusal> {
  const { registry, request, mapping, reference } = push;
  const pusher = { repository: mapping.upstream, context: request.context };
  await missing.uploadKnown();
  const converted = await registry.pushes.converter
    .prepare(pusher, manifest, form)
    .catch((error: unknown) => {
      if (!(error instanceof ConversionError)) throw error;
      throw lackedBlob(error) ?? inconvertible(manifest, form, error);
    });
  const keep = () => registry.pushes.converter.keep(pusher, manifest);
  // A tag never leads to a digest that is not there. A digest that is there before its image is stored would tell clients
  // that they need not push it: docker-registry 2.8.2 answers a HEAD of a manifest from a blob, too.
  if (reference.kind === 'tag') await keep();
  const own = withManifest(request, converted.body, converted.mediaType);
  const put = () => putTo(push, reference.kind === 'tag' ? reference.tag : converted.digest, own);
  let outcome = await put();
  if (!(outcome instanceof Response) && isAboutContent(outcome)) {
    if (await missing.uploadRefused(outcome.digests)) outcome = await put();
  }
  if (outcome instanceof Response) {
    if (reference.kind === 'digest' && isWritten(outcome)) await keep();
    return acknowledged(push, outcome, manifest, converted);
  }
  const [next, ...rest] = others;
  return next && refusesForm(outcome) ? putConverted(push, missing, manifest, [next, ...rest]) : outcome;
}

/** The response to a manifest that is stored in another form: it names the digest that the client computed. */
async function acknowledged(
  push: ManifestPush,
  response: Response,
  { mediaType: from, digest }: PushedManifest,
  { mediaType: to, digest: storedDigest, losses }: Converted,
): Promise<Response> {
  const { request } = push;
  if (!isWritten(response)) return forwardResponse(request, response);
  await discard(response);
  return created(
    push,
    digest,
    { from, to, losses },
    { ...noticesOf(response), 'Regshift-Stored-Digest': storedDigest },
  );
}

function created(
  { request, mapping }: ManifestPush,
  digest: Digest,
  { losses, ...conversion }: { from: string; to: string | undefined; losses: readonly Loss[] },
  headers: Record<string, string> = {},
): Response {
  request.notes.conversion = loggedConversion(conversion, losses);
  return new Response(null, {
    status: 201,
    headers: {
      ...apiVersion,
      ...headers,
      'Docker-Content-Digest': digest,
      'Regshift-Conversion': conversionText(conversion, losses),
      Location: contentLocation(request, mapping, 'manifests', digest),
      'Content-Length': '0',
    },
  });
}

/**
 * Acknowledges an artifact that the registry does not take, and keeps it as a blob. An index names an attestation and
 * any other artifact that is pushed by its digest, and the index is then stored without it. Only the registry
 * can list an artifact with a subject, or have one under a tag: its refusal stands.
 *
 * BuildKit pushes an attestation before its subject (util/push/push.go, `Push`, from the last manifest to the first). A
 * registry that wants the subject first gets the attestation when the index names it.
 */
async function keepArtifact(
  push: ManifestPush,
  manifest: PushedArtifact,
  refusal: PushRefusal,
): Promise<Response | undefined> {
  const { registry, request, mapping, reference } = push;
  if (reference.kind === 'tag' || (manifest.subject && !manifest.attestation)) return undefined;
  const isForm = refusesForm(refusal);
  const isEarly = manifest.attestation && lacksContent(refusal) && lacksOnly(refusal, manifest.subject);
  if (!isForm && !isEarly) return undefined;
  const pusher = { repository: mapping.upstream, context: request.context };
  const isKept = await registry.pushes.converter.keepArtifact(pusher, manifest, { isLost: isForm });
  if (!isKept) return undefined;
  const from = manifest.mediaType;
  const lost = { ...loss('entries', '$'), name: 'the pushed manifest' };
  if (isForm) return created(push, manifest.digest, { from, to: undefined, losses: [lost] });
  return created(push, manifest.digest, { from, to: from, losses: [] });
}

function lacksOnly({ digests }: PushRefusal, subject: Digest | undefined): boolean {
  return digests.length > 0 && digests.every((digest) => digest === subject);
}

function inconvertible({ mediaType }: PushedImage, form: TargetForm, error: ConversionError): RegistryError {
  return new RegistryError(
    error.code === 'LIMIT' ? 'MANIFEST_TOO_LARGE' : 'MANIFEST_INVALID',
    `The registry does not take ${formPhrase(mediaType)}, and regshift cannot convert this one to ${form}: ` +
      `${error.message}`,
    { cause: error, detail: { reason: error.code, ...(error.path ? { path: error.path } : {}) } },
  );
}
