import type { Handler } from 'hono';
import { type TargetForm, targetFormsOf } from '../../registry/manifests/target-forms.ts';
import { withBody } from '../../registry/push/manifest-bodies.ts';
import { pushFailure } from '../../registry/push/push-errors.ts';
import { isOfImages, type PushedImage } from '../../registry/push/pushed-manifest.ts';
import { referenceText } from '../../upstream/api/paths.ts';
import { isWritten } from '../../upstream/error-response.ts';
import type { Env } from '../env.ts';
import { forwardResponse } from '../forward-response.ts';
import { contentLocation } from '../location.ts';
import { referenceParam } from '../params.ts';
import { type ManifestPush, putTo, readableManifest } from './manifest-push.ts';
import { missingContentOf } from './missing-content.ts';
import { isAboutContent, mayLackContent, responseOf, takesNoManifest } from './push-refusal.ts';
import { putConverted, putOtherwise } from './put-converted.ts';
import { refuseDerived } from './writes.ts';

/**
 * `PUT /v2/<name>/manifests/<reference>`, byte for byte. Before it, the proxy uploads content that the manifest names,
 * that the registry lacks and that regshift makes. Where the registry refuses the form of the manifest, the proxy stores
 * it in another form (REGSHIFT_PUSH_FORMAT), and answers with the digest of the pushed one.
 * @throws RegistryError.
 */
export const putManifest: Handler<Env> = async (context) => {
  const { registry } = context.get('route');
  const request = context.get('request');
  const body = await registry.pushes.bodies.read(request);
  try {
    const push = { registry, request, mapping: context.get('mapping'), reference: referenceParam(context) };
    return await putBody({ ...push, bytes: body?.bytes });
  } catch (error) {
    throw pushFailure(error);
  } finally {
    body?.release();
  }
};

async function putBody(push: ManifestPush): Promise<Response> {
  const { registry, request, mapping, reference, bytes } = push;
  const missing = await missingContentOf(registry, request, mapping.upstream, bytes);
  const pinned = await pinnedForm(push);
  if (pinned) {
    const outcome = await putConverted(push, missing, pinned.manifest, [pinned.form]);
    return outcome instanceof Response ? outcome : forwardResponse(request, responseOf(outcome));
  }
  await missing.uploadKnown();
  const put = () => putTo(push, referenceText(reference), withBody(request, bytes));
  let outcome = await put();
  if (outcome instanceof Response) return stored(push, outcome);
  const isUnsaid = outcome.codes.length === 0 && !takesNoManifest(outcome.response);
  if (bytes && isUnsaid && registry.pushes.converter.format !== 'asis') {
    // A gateway may refuse one request so. A registry refuses a form each time, and most of them have a code for it.
    outcome = await put();
    if (outcome instanceof Response) return stored(push, outcome);
  }
  const isContentFirst = isAboutContent(outcome);
  const other = isContentFirst ? undefined : await putOtherwise(push, missing, outcome);
  if (other) return other;
  if (mayLackContent(outcome) && (await missing.uploadRefused(outcome.digests))) {
    outcome = await put();
    if (outcome instanceof Response) return stored(push, outcome);
  }
  const later = isContentFirst ? await putOtherwise(push, missing, outcome) : undefined;
  if (later) return later;
  if (mayLackContent(outcome)) {
    const digests = [referenceText(reference), ...outcome.digests];
    await refuseDerived(registry, request, mapping.upstream, digests);
  }
  return forwardResponse(request, responseOf(outcome));
}

/** Upstream's response to a manifest that it stores, or refuses for reasons of its own. */
function stored({ request, mapping, reference }: ManifestPush, response: Response): Response {
  if (!isWritten(response)) return forwardResponse(request, response);
  const digest = response.headers.get('docker-content-digest') ?? referenceText(reference);
  return forwardResponse(request, response, {
    Location: contentLocation(request, mapping, 'manifests', digest),
  });
}

interface Pinned {
  readonly manifest: PushedImage;
  readonly form: TargetForm;
}

/** The form that the settings store a manifest in, where that is another one. */
async function pinnedForm(push: ManifestPush): Promise<Pinned | undefined> {
  const { format } = push.registry.pushes.converter;
  if (format === 'auto' || format === 'asis') return undefined;
  const manifest = await readableManifest(push);
  if (manifest === undefined || !isOfImages(manifest)) return undefined;
  return targetFormsOf(manifest.model).includes(format) ? { manifest, form: format } : undefined;
}
