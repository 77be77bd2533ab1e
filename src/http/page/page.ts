import type { Context, Handler } from 'hono';
import { html } from 'hono/html';
import { requireLogin } from '../../auth/client-auth.ts';
import { isDeadline, withDeadline } from '../../concurrency/deadline.ts';
import { RegistryError } from '../../errors.ts';
import { knownClients } from '../../negotiation/known-clients.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import type { Env } from '../env.ts';
import { registryErrorFrom, statusOf } from '../errors.ts';
import type { Health } from '../health.ts';
import { publicOrigin } from '../public-url.ts';
import { explainError } from '../route.ts';
import { alternativesHtml } from './alternatives.ts';
import { compare, comparisonHtml } from './compare.ts';
import { type Document, documentResponse, fileResponse, type Html, pageLink, shown } from './document.ts';
import { type ErrorEntry, errorEntries } from './error-entries.ts';
import { entryHtml, errorOfCode, errorsHtml, findErrors } from './error-search.ts';
import { imageForm } from './forms.ts';
import { homeHtml } from './home-view.ts';
import { clientsHtml, imageHtml, platformsHtml, pullsHtml } from './image-view.ts';
import { type ImageQuery, imageQuery, lookUp, openViewed } from './look-up.ts';
import { machineHtml, machinesHtml } from './machine-view.ts';
import { machines } from './machines.ts';
import { pageFile, type StatusNumbers, statusDocument } from './status-page.ts';
import { nameSuggestions } from './suggestions.ts';

export interface PageOptions {
  readonly health: Health;
  /** Images to try; empty in front of a registry that may not have them. */
  readonly examples: readonly string[];
  /** The proxy listens on the loopback interface alone. */
  readonly listensLocally: boolean;
  /** Shows the status of the proxy to everyone who may use it. */
  readonly showsStatus: boolean;
  /** The numbers of `/metrics`; absent where the runtime counts nothing. */
  readonly numbers: StatusNumbers | undefined;
  /** Reads the entries of docs/errors.md that only this runtime has. */
  readonly moreErrors: (() => Promise<readonly ErrorEntry[]>) | undefined;
}

/** The page for people. A document for each question, so that every function works without the script. */
export interface Page {
  /** `GET /`, by what its query asks. */
  readonly show: Handler<Env>;
  /** `GET /page/page.css` and `/page/page.js`. */
  readonly file: Handler<Env>;
  /** `GET /page/names`: repositories for the field of the image. */
  readonly names: Handler<Env>;
}

export function createPage(options: PageOptions): Page {
  const { health, listensLocally, showsStatus: status } = options;

  async function documentFor(context: Context<Env>): Promise<Document> {
    const { searchParams } = context.get('received').url;
    const image = imageOf(context);
    if (searchParams.has('machine')) return machineDocument(context, searchParams, image?.text);
    if (searchParams.has('error')) return errorDocument(searchParams.get('error') ?? '');
    if (searchParams.has('status') && status) {
      await requireLogin(context.get('host').routes[0].clientAuth, context.get('received'));
      return statusDocument(health, options.numbers);
    }
    if (image === undefined) return homeDocument(context);
    // A viewer may paste an error into the field for an image. No name has a space.
    if (/\s/.test(image.text) && findErrors(image.text, await knownErrors()).isExact)
      return errorDocument(image.text);
    return imageDocument(context, image, searchParams.get('client') ?? '');
  }

  async function homeDocument(context: Context<Env>): Promise<Document> {
    const main = homeHtml(addressOf(context), await health.report(), options);
    return { title: 'regshift: one registry, every client', main, status };
  }

  function machineDocument(
    context: Context<Env>,
    values: URLSearchParams,
    image: string | undefined,
  ): Document {
    const id = values.get('machine') ?? '';
    const query = { image, host: values.get('host')?.trim().slice(0, longestHost) };
    const machine = machines.find((each) => each.id === id);
    if (machine === undefined) return unknownDocument('machine', id, machinesHtml(query));
    const main = machineHtml(machine, { address: addressOf(context), listensLocally }, query);
    return { title: `Set up ${machine.name}`, main, status };
  }

  function unknownDocument(what: string, value: string, choices: Html): Document {
    const main = html`<h1>Unknown ${what}</h1>
<p class="failure">This page does not know the ${what} “${shown(value.slice(0, 100))}”. Choose one of these:</p>
${choices}`;
    return { title: `Unknown ${what}`, main, status, code: 404 };
  }

  async function knownErrors(): Promise<readonly ErrorEntry[]> {
    return [...errorEntries, ...((await options.moreErrors?.()) ?? [])];
  }

  async function errorDocument(text: string): Promise<Document> {
    return { title: 'Errors', main: errorsHtml(text.slice(-longestError), await knownErrors()), status };
  }

  async function imageDocument(context: Context<Env>, query: ImageQuery, id: string): Promise<Document> {
    const client = knownClients.find((each) => each.id === id);
    if (id !== '' && client === undefined) return unknownDocument('client', id, clientsHtml(query));
    if (query.noPlatform)
      return unknownDocument('platform', query.noPlatform, platformsHtml(query.text, commonPlatforms));
    const image = await openViewed(context, query);
    const title = shown(query.text);
    if (client) {
      const compared = await compare(image, client, query.platform);
      if ('pulls' in compared) return { title, main: pullsHtml(query, compared, { client: id }), status };
      return { title: `${title} for ${client.name}`, main: comparisonHtml(query, client, compared), status };
    }
    const found = await lookUp(image, query.platform);
    return { title, main: 'pulls' in found ? pullsHtml(query, found) : imageHtml(query, found), status };
  }

  async function failed(context: Context<Env>, thrown: unknown): Promise<Response> {
    const route = context.get('route');
    const explained = route ? await explainError(route, context.get('request'), thrown) : thrown;
    const error = registryErrorFrom(explained);
    context.set('failure', error.code === 'NAME_INVALID' ? noImageName : explained);
    const image = imageOf(context)?.text ?? '';
    const advice = adviceHtml(context, image, error);
    const main = errorHtml(
      image,
      error,
      html`${advice}${await alternativesHtml(context, image, error)}`,
      !advice,
    );
    const headers = error.code === 'UNAUTHORIZED' ? basicChallenge : error.headers;
    return documentResponse({ title: 'It failed', main, status, code: statusOf(error) }, headers);
  }

  return {
    async show(context) {
      const received = context.get('received');
      received.notes.resource = 'page';
      return withDeadline(documentMs, received.context.signal, async (signal) => {
        context.set('received', { ...received, context: { ...received.context, signal } });
        try {
          return await documentResponse(await documentFor(context));
        } catch (thrown) {
          return await failed(context, isDeadline(signal) ? tooLate() : thrown);
        }
      });
    },

    async file(context) {
      context.get('received').notes.resource = 'page';
      return pageFile(context.req.path);
    },

    async names(context) {
      context.get('received').notes.resource = 'page';
      return fileResponse(JSON.stringify(await nameSuggestions(context)), 'application/json', 'no-store');
    },
  };
}

/** Milliseconds for a document. A pull may wait longer for a slow registry than a viewer who sees nothing meanwhile. */
const documentMs = 30_000;

function tooLate(): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `The registry took longer than the ${documentMs / 1000} s that this page waits for it. Check that it is healthy, and try again.`,
  );
}

/** The failure in the log of a query that is no image name: a viewer may paste a line with a password. */
const noImageName = new RegistryError('NAME_INVALID', 'The image in the query is not an image name.');

/** Longest text of an error that is searched for, and longest name of a host. */
const longestError = 4_000;
const longestHost = 300;

/** Platforms to choose from before the image is known. */
const commonPlatforms = ['linux/amd64', 'linux/arm64', 'linux/arm/v7'];

/**
 * A browser asks its user for a login by a Basic challenge alone. regshift exchanges the login for a token where the
 * registry wants that, as it does for clients that send a login with their first request.
 */
const basicChallenge = { 'WWW-Authenticate': 'Basic realm="regshift"' };

/** The address that clients reach the first route of the host at. */
function addressOf(context: Context<Env>): string {
  return publicOrigin(context.get('host').routes[0].publicUrl, context.get('received').address);
}

/** The image that the viewer asks for. */
function imageOf(context: Context<Env>): ImageQuery | undefined {
  return imageQuery(context.get('received').url, addressOf(context));
}

function errorHtml(image: string, error: RegistryError, more: Html, hasEntry: boolean): Html {
  const { code, message } = error;
  const entry = hasEntry ? errorOfCode(code) : undefined;
  return html`${imageForm(image)}
<h1>${image === '' ? 'It failed' : `No answer for ${shown(image)}`}</h1>
<p class="failure">${shown(message.replace(' (docker login)', '') + waitText(error))}</p>
${more}
${entry ? entryHtml(entry) : ''}`;
}

/** The time of `Retry-After`, which a browser does not show: seconds or a date (RFC 9110, section 10.2.3). */
function waitText({ headers }: RegistryError): string {
  const wait = new Headers(headers).get('retry-after');
  if (wait === null) return '';
  return ` Try again ${/^\d+$/.test(wait) ? `in ${wait} s` : `after ${wait.slice(0, 40)}`}.`;
}

/** The advice for a viewer where that of docs/errors.md is for clients, or the name is that of another registry. */
function adviceHtml(context: Context<Env>, image: string, { code }: RegistryError): Html | undefined {
  const { repository } = context.get('request') ?? {};
  const other = repository && refusals.test(code) ? registryIn(repository) : undefined;
  const isLogin = code === 'UNAUTHORIZED';
  if (!isLogin && other === undefined) return undefined;
  const whose = context.get('host').routes[0].clientAuth ? 'this proxy' : 'the registry';
  return html`${other ? otherRegistryHtml(image, other) : ''}
${isLogin ? html`<p>Reload this page: the browser asks for a login. Enter a name and a password of ${whose}.</p>` : ''}`;
}

/** The codes of refusals of a repository that a registry may not have. */
const refusals = /UNKNOWN|DENIED|UNAUTHORIZED/;

/** The first part of a name, if it is a host to clients (distribution/reference, `splitDockerDomain`), and no route. */
function registryIn({ client, upstream }: RepositoryMapping): string | undefined {
  return client === upstream ? /^([^/]*\.[^/]*|localhost)\//.exec(client)?.[1] : undefined;
}

function otherRegistryHtml(image: string, registry: string): Html {
  const rest = image.slice(registry.length + 1);
  return html`<p>This proxy has no route for ${registry}: it asked its own registry for a repository whose name begins with ${registry}/. If that is the registry behind this proxy, look up <a href="${pageLink({ image: rest })}">${shown(rest)}</a>. Otherwise, the proxy needs a route to it.</p>`;
}
