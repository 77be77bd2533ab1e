import type { Platform } from '../../../converters/platform.ts';
import { formatPlatform } from '../../../converters/platform.ts';
import { compose } from '../../compose/compose.ts';
import type { RuntimePlatform } from '../../compose/platform.ts';
import type { ComposedRoute } from '../../compose/route.ts';
import { formatProblems } from '../../config/problem.ts';
import { wayVariables } from '../../config/schema.ts';
import { readSettings } from '../../config/settings.ts';
import type { Pin } from '../../negotiation/negotiate.ts';
import { readClientRequest, withCredentialOf } from '../../registry/client-request.ts';
import { withPolicyOf } from '../../registry/client-rules.ts';
import type { InspectedImage } from '../../registry/inspection/inspected-image.ts';
import { createRegistry } from '../../registry/registry.ts';
import { createBudget } from '../../request/budget.ts';
import { readFile } from '../../runtime/node/files.ts';
import { nodePlatform } from '../../runtime/node/platform.ts';
import type { StaticCredential } from '../../upstream/auth/credential.ts';
import type { Fetch } from '../../upstream/send.ts';
import { version } from '../../version.ts';
import { createLogins } from '../docker-login.ts';
import type { AccessOptions } from '../registry-options.ts';
import { withRetryAfterWaits } from '../retry-after.ts';
import type { Io } from '../terminal/io.ts';
import { tracedPlatform } from '../terminal/trace.ts';
import { UsageError } from '../usage.ts';
import { type ImageName, readImageName } from './image-name.ts';
import { withTlsHint } from './tls-hint.ts';

export interface RegistryAccess extends AccessOptions {
  readonly platform?: Platform | undefined;
  readonly pin?: Pin;
  /** True if the command runs the code of the proxy for clients, so that the settings about clients apply. */
  readonly asProxy?: boolean | undefined;
  /** The option that `creds` come from; default: `--creds`. */
  readonly credsOption?: string;
  /** Allows conversions to download and read whole layers. */
  readonly readLayers?: true | undefined;
}

/** An image in a registry, with the proxy's own code for that registry, but without a server. */
export interface OpenImage extends ImageName, InspectedImage {
  readonly login: StaticCredential;
  /** Makes a `fetch` to the registry for requests that its client does not send. */
  connect(): Fetch;
}

/** Deadline for reading layers. It is long: the user can interrupt the command. */
const readingSeconds = 3600;

/** Opens an image with the login of `docker login`. @throws UsageError for an invalid name. */
export function openImage(text: string, options: RegistryAccess, io: Io): Promise<OpenImage> {
  return createImageOpener(options, io)(text);
}

/**
 * Makes a function that opens images, for a command with a list of them. Images of one registry share its connections,
 * its tokens and all that is remembered about it, and the answers of credential helpers. Connections stay open for a while
 * after their last request: with new ones for each image, hundreds of images need more files than a process may open.
 */
export function createImageOpener(options: RegistryAccess, io: Io): (text: string) => Promise<OpenImage> {
  const opened = new Map<string, OpenRegistry>();
  const logins = createLogins(io);

  return async (text) => {
    const image = readImageName(text, options.plainHttp);
    const { href } = image.registryUrl;
    const own = opened.get(href) ?? openRegistry(image.registryUrl, options, io);
    opened.set(href, own);
    const { route, registry, connect } = own;
    const login = await logins(image, options.creds, options.credsOption);
    const request: OpenImage['request'] = ({ userAgent, accept }, more = {}) => {
      const headers = new Headers();
      if (userAgent !== undefined) headers.set('user-agent', userAgent);
      for (const line of accept) headers.append('accept', line);
      const manifests = new URL(`/v2/${image.name}/manifests/`, image.registryUrl);
      const budget = createBudget(Number.POSITIVE_INFINITY);
      const from = new Request(manifests, { headers });
      const anonymous = readClientRequest(from, manifests.origin, '', { budget });
      const made = withPolicyOf(withCredentialOf(anonymous, login), route);
      return { ...made, ...more, context: { ...made.context, knownLayersOnly: !options.readLayers } };
    };
    const plain = request({ userAgent: `regshift/${version}`, accept: ['*/*'] });
    return { ...image, registry, request, plain, login, connect };
  };
}

interface OpenRegistry extends Pick<OpenImage, 'registry' | 'connect'> {
  readonly route: ComposedRoute;
}

function openRegistry(url: URL, options: RegistryAccess, io: Io): OpenRegistry {
  const settings = settingsFor(url, options, io);
  const platform = withRetryAfterWaits(commandPlatform(url, options, io), io);
  const [route] = compose(settings, platform).routes;
  const [own] = settings.routes;
  if (route === undefined || own === undefined)
    throw new Error('the settings of one registry make one route');
  const connect = () => platform.fetchFor?.(own) ?? platform.fetch;
  return { route, registry: createRegistry(route), connect };
}

/** The platform of a command that contacts a server. */
export function commandPlatform(
  server: URL,
  options: Pick<AccessOptions, 'verbose'>,
  io: Io,
): RuntimePlatform {
  const platform = nodePlatform(() => {});
  return withTlsHint(tracedPlatform(platform, options, io), server);
}

/** Settings about clients, which commands read that run the code of the proxy. */
const clientSettings = ['REGSHIFT_CLIENTS', 'REGSHIFT_INDEX', 'REGSHIFT_ATTESTATIONS', 'REGSHIFT_LAYERS'];

function settingsFor(registry: URL, { pin, platform, ca, tlsVerify, asProxy }: RegistryAccess, { env }: Io) {
  // A command ignores the settings that it does not need, and so their problems.
  const needed = [...wayVariables, ...(asProxy ? clientSettings : [])];
  const own = needed.flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  const read = readSettings(
    {
      REGSHIFT_UPSTREAM: registry.href,
      REGSHIFT_FORMAT: pin ?? 'auto',
      REGSHIFT_MEASURE_DEADLINE: String(readingSeconds),
      ...(platform ? { REGSHIFT_PLATFORM: formatPlatform(platform) } : {}),
      ...Object.fromEntries(own),
      ...(ca === undefined ? {} : { REGSHIFT_UPSTREAM_CA: ca }),
      ...(tlsVerify === undefined ? {} : { REGSHIFT_UPSTREAM_INSECURE: String(!tlsVerify) }),
    },
    readFile,
  );
  if ('settings' in read) return read.settings;
  const wrongFile = read.problems.find(({ variable }) => variable === 'REGSHIFT_UPSTREAM_CA');
  if (ca !== undefined && wrongFile) throw new UsageError(`--ca ${ca}: it ${wrongFile.message}.`);
  const wrongHost = read.problems.find(({ variable }) => variable === 'REGSHIFT_UPSTREAM');
  throw new UsageError(
    wrongHost
      ? `${registry.href} cannot be used as a registry: it ${wrongHost.message}`
      : formatProblems(read.problems),
  );
}
