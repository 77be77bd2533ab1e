import type { Platform } from '../../../converters/platform.ts';
import { formatPlatform } from '../../../converters/platform.ts';
import { compose } from '../../compose/compose.ts';
import { readSettings } from '../../config/settings.ts';
import type { KnownClient } from '../../negotiation/known-clients.ts';
import type { Pin } from '../../negotiation/negotiate.ts';
import { type ClientRequest, readClientRequest, withCredentialOf } from '../../registry/client-request.ts';
import { createRegistry, type Registry } from '../../registry/registry.ts';
import { createBudget } from '../../request/budget.ts';
import { nodePlatform } from '../../runtime/node/platform.ts';
import { version } from '../../version.ts';
import { dockerLogin } from '../docker-login.ts';
import type { Io } from '../terminal/io.ts';
import { UsageError } from '../usage.ts';
import { type ImageName, readImageName } from './image-name.ts';

export interface RegistryAccess {
  readonly plainHttp?: true | undefined;
  readonly platform?: Platform | undefined;
  readonly pin?: Pin;
  /** Conversions may read whole layers. */
  readonly readLayers?: true | undefined;
}

/** An image in a registry, and the proxy's own machinery over that registry, without a server. */
export interface OpenImage extends ImageName {
  readonly registry: Registry;
  /** A client's request, as the proxy would see it. */
  request(client: ClientHeaders, more?: Pick<ClientRequest, 'onSelection'>): ClientRequest;
  /** What is stored, as a client that takes anything asks for it. */
  readonly plain: ClientRequest;
}

export interface ClientHeaders {
  readonly userAgent?: string | undefined;
  /** The lines of `Accept`; none where the client sends none. */
  readonly accept: readonly string[];
}

/** Waiting for a layer has no other end here than the person who waits. */
const readingSeconds = 3600;

/** @throws UsageError for a name that is none. */
export async function openImage(text: string, options: RegistryAccess, io: Io): Promise<OpenImage> {
  const image = readImageName(text, options.plainHttp);
  const [site] = compose(
    settingsFor(image.registryUrl, options),
    nodePlatform(() => {}),
  ).routes;
  if (site === undefined) throw new Error('settings of one registry make one site');
  const login = await dockerLogin(image.registryUrl, io);
  const request: OpenImage['request'] = ({ userAgent, accept }, more = {}) => {
    const headers = new Headers();
    if (userAgent !== undefined) headers.set('user-agent', userAgent);
    for (const line of accept) headers.append('accept', line);
    const { href, origin } = new URL(`/v2/${image.name}/manifests/`, image.registryUrl);
    const budget = createBudget(Number.POSITIVE_INFINITY);
    const asked = readClientRequest(new Request(href, { headers }), origin, '', { budget });
    const own = withCredentialOf(asked, login);
    return { ...own, ...more, context: { ...own.context, knownLayersOnly: !options.readLayers } };
  };
  const plain = request({ userAgent: `regshift/${version}`, accept: ['*/*'] });
  return { ...image, registry: createRegistry(site), request, plain };
}

function settingsFor(registry: URL, { pin, platform }: RegistryAccess) {
  const read = readSettings({
    REGSHIFT_UPSTREAM: registry.href,
    REGSHIFT_FORMAT: pin ?? 'auto',
    REGSHIFT_MEASURE_DEADLINE: String(readingSeconds),
    ...(platform ? { REGSHIFT_PLATFORM: formatPlatform(platform) } : {}),
  });
  if ('settings' in read) return read.settings;
  throw new UsageError(
    `${registry.href} cannot be asked: ${read.problems.map(({ message }) => message).join('; ')}`,
  );
}

/** The headers of a generation. Docker says what it runs on; others do not. */
export function headersOf({ program, userAgent, accept }: KnownClient, platform?: Platform) {
  const runsOn = platform ?? { os: 'linux', architecture: 'amd64' };
  const says = program === 'docker' ? ` os/${runsOn.os} arch/${runsOn.architecture}` : '';
  return { userAgent: `${userAgent}${says}`, accept };
}
