import { mediaTypes } from '../../../converters/media-types.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { Failure } from '../../errors.ts';
import { formName } from '../../negotiation/format-names.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { type ManifestOutcome, outcomeFor } from '../../registry/manifests/manifests.ts';
import type { Route } from '../../registry/registry.ts';
import { cacheControl } from '../cache-control.ts';
import { bytesAnswer, matchesEtag, wholeHeaders } from '../responses.ts';

/** `GET` and `HEAD /v2/<name>/manifests/<reference>`. @throws Failure; ConversionError. */
export async function answerManifest(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
): Promise<Response> {
  if (!request.client.profile.apiV2) {
    // There, Docker up to 1.7 does not say which of all tags it wants.
    if (reference.kind === 'tag') route.wanted.note(name, reference.tag);
    // Docker 1.5 reads schema 1, fetches every blob and fails on them; told so at once, it goes on to API v1.
    throw new Failure('MANIFEST_UNKNOWN', 'This Docker cannot pull by registry API v2.');
  }
  const outcome = await outcomeFor(route, request, name, reference);
  const headers = headersOf(outcome);
  const conversion = headers['Regshift-Conversion'];
  if (conversion) request.notes.conversion = conversion;
  if (outcome.staleAge !== undefined) request.notes.staleAge = outcome.staleAge;
  if (matchesEtag(request.headers.get('if-none-match'), outcome.digest)) {
    return new Response(null, { status: 304, headers });
  }
  const { body, right } = outcome;
  if (right) request.hold?.({ headers: wholeHeaders(body, headers), body }, right);
  return bytesAnswer(body, headers, request.method === 'HEAD');
}

function headersOf(outcome: ManifestOutcome): Record<string, string> {
  return {
    'Content-Type': outcome.mediaType,
    'Docker-Content-Digest': outcome.digest,
    ETag: `"${outcome.digest}"`,
    'Cache-Control': cacheControl(outcome.public),
    Vary: 'Accept, User-Agent',
    'Regshift-Source-Digest': outcome.source,
    ...(outcome.conversion ? { 'Regshift-Conversion': describe(outcome) } : {}),
    ...(outcome.staleAge === undefined ? {} : { Age: String(outcome.staleAge) }),
  };
}

/** Like `oci-index -> schema1; platform=linux/amd64; lost="$.annotations"`. */
function describe({ conversion, losses }: ManifestOutcome): string {
  if (!conversion) return '';
  const platform = conversion.platform ? `; platform=${formatPlatform(conversion.platform as Platform)}` : '';
  const unsigned = conversion.from === mediaTypes.schema1 ? '; unsigned' : '';
  const paths = losses.slice(0, 5).map(({ path }) => path.replace(/[^\x20-\x7e]|["\\]/g, '?').slice(0, 60));
  const lost = paths.length > 0 ? `; lost="${paths.join(' ')}"` : '';
  return `${formName(conversion.from)} -> ${formName(conversion.to)}${unsigned}${platform}${lost}`;
}
