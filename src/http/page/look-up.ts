import type { Context } from 'hono';
import type { Digest } from '../../../converters/digest.ts';
import { type Platform, readPlatform } from '../../../converters/platform.ts';
import { requireLogin } from '../../auth/client-auth.ts';
import { RegistryError } from '../../errors.ts';
import { isNotReadYet } from '../../layers/unread.ts';
import type { ClientHeaders } from '../../negotiation/known-clients.ts';
import { readClientRequest, withCredentialOf } from '../../registry/client-request.ts';
import { withPolicyOf } from '../../registry/client-rules.ts';
import { type ClientView, clientViews } from '../../registry/inspection/client-views.ts';
import { describeStored, type StoredDescription } from '../../registry/inspection/describe-stored.ts';
import type { InspectedImage } from '../../registry/inspection/inspected-image.ts';
import { parseNamedImage } from '../../registry/inspection/named-image.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { version } from '../../version.ts';
import type { Env } from '../env.ts';
import { enterRoute } from '../middleware/routing.ts';
import { unknownRepository } from '../route.ts';
import { pastedImage } from './pasted-image.ts';

/** The image that a viewer asks for. */
export interface ImageQuery {
  /** As the viewer wrote it, without the address of the proxy. */
  readonly text: string;
  readonly platform: Platform | undefined;
  /** Text in place of a platform that is none. */
  readonly noPlatform?: string;
  /** The number of counted pulls that the viewer has agreed to. */
  readonly pulls: number;
}

/** The image with what each client gets. */
export interface LookUp {
  readonly stored: StoredDescription;
  readonly clients: readonly ClientView[];
  /** Whether the registry counts the viewer's pulls. */
  readonly isCounted: boolean;
}

/** The question whether the viewer wants to spend pulls that the registry counts. */
export interface PullQuestion {
  readonly pulls: number;
}

/** An image of a registry, as the viewer may read it. */
export interface ViewedImage extends InspectedImage {
  /** Runs a look-up within the pulls that the viewer agreed to. */
  spending<Found>(look: () => Promise<Found>): Promise<Found | PullQuestion>;
}

/** The most manifests of one look-up: the index, and one image of it. */
const mostPulls = 2;

/** Longest text of an image: a repository of 255 characters, a tag of 128 or a digest, and an address. */
const longestName = 1_000;

/**
 * Reads the image of the address.
 * @param proxy the address of the proxy as clients have it, like `https://proxy.example.com`.
 */
export function imageQuery(url: URL, proxy: string): ImageQuery | undefined {
  const asked = url.searchParams.get('image')?.slice(0, longestName).trim();
  if (!asked) return undefined;
  const pasted = pastedImage(asked, [url.host, new URL(proxy).host]);
  const wanted = url.searchParams.get('platform') || (pasted.platform ?? '');
  const platform = readPlatform(wanted);
  return {
    text: pasted.name,
    platform,
    ...(wanted !== '' && platform === undefined ? { noPlatform: wanted } : {}),
    pulls: Number(url.searchParams.get('pulls') ?? 0),
  };
}

/**
 * Opens an image with the viewer's own right, which every request for it has: its login, its address and its budget.
 * @throws RegistryError UNAUTHORIZED, NAME_UNKNOWN; NAME_INVALID for a text that is no image.
 */
export async function openViewed(
  context: Context<Env>,
  { text, platform, pulls }: ImageQuery,
): Promise<ViewedImage> {
  const received = context.get('received');
  const host = context.get('host');
  await requireLogin(host.routes[0].clientAuth, received);
  const named = parseNamedImage(text);
  if ('problem' in named) throw new RegistryError('NAME_INVALID', named.problem);
  const found = host.find({ name: named.name, ns: undefined });
  if (found === undefined) throw unknownRepository(named.name);
  const { route, mapping } = found;
  const isServed = route.registry.serves(mapping.upstream);
  // A failure of this request leads to lists of its repository (alternatives.ts).
  enterRoute(context, route, isServed ? mapping : undefined);
  if (!isServed) {
    throw new RegistryError('NAME_UNKNOWN', `The repository ${mapping.client} is not served here.`);
  }
  const registry = platform ? { ...route.registry, platform } : route.registry;
  const pullLimit = createPullLimit(pulls, isOwnWish(received.headers));
  const { budget, signal } = received.context;
  const resolutions: RequestContext['resolutions'] = new Map();
  const request: InspectedImage['request'] = ({ userAgent, accept }, more = {}) => {
    const headers = headersFor({ userAgent, accept }, received.headers.get('authorization'));
    const raw = new Request(new URL(`/v2/${mapping.client}/manifests/`, received.url), { headers });
    const started = { budget, signal, resolutions };
    const own = readClientRequest(raw, received.address, received.clientAddress, started);
    const ruled = withPolicyOf(withCredentialOf(own, route.login), route);
    const limited = { ...ruled.context, knownLayersOnly: true, mayFetch: pullLimit.mayFetch };
    return { ...ruled, ...more, repository: mapping, context: limited };
  };
  const plain = request({ userAgent: `regshift/${version}`, accept: ['*/*'] });
  const image = { registry, name: mapping.upstream, reference: named.reference, request, plain };
  return { ...image, spending: (look) => spend(image, pullLimit, look) };
}

function headersFor({ userAgent, accept }: ClientHeaders, authorization: string | null): Headers {
  const headers = new Headers();
  if (userAgent !== undefined) headers.set('user-agent', userAgent);
  for (const line of accept) headers.append('accept', line);
  if (authorization !== null) headers.set('authorization', authorization);
  return headers;
}

/** A page of another site must not spend a viewer's pulls by a link (Fetch Metadata, `Sec-Fetch-Site`). */
function isOwnWish(headers: Headers): boolean {
  return headers.get('sec-fetch-site') !== 'cross-site';
}

/** The manifests that a look-up fetches. */
interface PullLimit {
  mayFetch(manifest: Digest): boolean;
  /** Manifests count from now on: only those that the viewer agreed to are fetched. */
  count(): void;
  /** The first manifest that was not fetched. */
  readonly refused: Digest | undefined;
}

function createPullLimit(pulls: number, isWanted: boolean): PullLimit {
  const most = isWanted ? Math.min(mostPulls, pulls) : 0;
  const fetched = new Set<Digest>();
  let counts = false;
  let refused: Digest | undefined;
  return {
    mayFetch(manifest) {
      if (!counts || fetched.has(manifest)) return true;
      if (fetched.size < most) {
        fetched.add(manifest);
        return true;
      }
      refused ??= manifest;
      return false;
    },
    count() {
      counts = true;
    },
    get refused() {
      return refused;
    },
  };
}

/** Asks upstream for the digest first, which costs no pull, and whose response shows whether the registry counts. */
async function spend<Found>(
  { registry, name, reference, plain }: InspectedImage,
  limit: PullLimit,
  look: () => Promise<Found>,
): Promise<Found | PullQuestion> {
  const { digest } = await registry.stored.resolve(name, reference, plain.context);
  if (registry.stored.countsPulls(plain.context)) limit.count();
  try {
    return await look();
  } catch (error) {
    if (!isNotReadYet(error) || limit.refused === undefined) throw error;
    return { pulls: limit.refused === digest ? mostPulls : 1 };
  }
}

/** Finds what is stored, and what each client gets. @throws RegistryError; ConversionError. */
export async function lookUp(
  image: ViewedImage,
  platform: Platform | undefined,
): Promise<LookUp | PullQuestion> {
  return image.spending(async () => {
    const stored = await describeStored(image);
    const clients = await clientViews(image, platform);
    return { stored, clients, isCounted: image.registry.stored.countsPulls(image.plain.context) };
  });
}
