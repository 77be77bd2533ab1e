import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { jsonAnswer } from '../faults/hostile-upstream.ts';
import { listen } from '../listen.ts';
import type { Flaps } from './flaps.ts';
import { type Identity, Logins } from './identity.ts';
import { misbehave } from './misbehave.ts';
import {
  blobAnswer,
  manifestAnswer,
  type RegistryAnswer,
  referrersAnswer,
  refuse,
} from './registry-answers.ts';
import { mayRead, type Repository } from './repository.ts';
import type { User } from './users.ts';

export interface RegistryOptions {
  readonly index: number;
  readonly scheme: 'basic' | 'bearer';
  readonly users: readonly User[];
  readonly repositories: readonly Repository[];
  readonly flaps: Flaps;
  /** The origin of redirects. */
  readonly storage: string;
  /** Called for each credential that arrives, with the repository that it is for. */
  readonly onCredential: (authorization: string | undefined, repository: Repository | undefined) => void;
}

export interface TestRegistry {
  readonly url: string;
  readonly logins: Logins;
  stop(): Promise<void>;
}

interface Question {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly identity: Identity;
  readonly userIndex: number | undefined;
}

/** Starts a registry of users with changing rights, which fails now and then, and checks whose credentials arrive. */
export async function startTestRegistry(options: RegistryOptions): Promise<TestRegistry> {
  const logins = new Logins(options.users);
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    response.on('error', () => undefined);
    request.resume();
    answer(request, response).catch((error) => response.destroy(error));
  });
  const { url, stop } = await listen(server);
  const challenge =
    options.scheme === 'basic'
      ? 'Basic realm="test"'
      : `Bearer realm="${url}/auth",service="test-${options.index}"`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization } = request.headers;
    const asked = new URL(request.url ?? '/', url);
    const repository = repositoryIn(asked, options.repositories);
    options.onCredential(authorization, repository);
    const identity = logins.identify(authorization);
    const userIndex = identity.kind === 'user' ? identity.user.index : undefined;
    await sleep(1 + Math.random() * 8);
    const flap = options.flaps.meet(userIndex, repository?.options.index, request);
    const good = () => goodAnswer({ request, url: asked, identity, userIndex }, repository);
    await misbehave(flap, good, response, { isHead: request.method === 'HEAD', repository, user: userIndex });
  }

  function goodAnswer(question: Question, repository: Repository | undefined): RegistryAnswer {
    const { url: asked, identity, userIndex } = question;
    if (asked.pathname === '/auth') return tokenAnswer(question);
    if (identity.kind === 'wrong') return unauthorized();
    if (asked.pathname === '/v2/') return identity.kind === 'none' ? unauthorized() : jsonAnswer(200, {});
    if (asked.pathname === '/v2/_catalog') {
      if (identity.kind === 'none') return unauthorized();
      const names = options.repositories.filter(({ now }) => mayRead(now, userIndex)).map(({ name }) => name);
      return jsonAnswer(200, { repositories: names });
    }
    if (!repository) return jsonAnswer(404, { errors: [{ code: 'NAME_UNKNOWN', message: 'unknown' }] });
    return refusalFor(question, repository) ?? contentFor(question, repository);
  }

  function unauthorized(scope = ''): RegistryAnswer {
    const error = { errors: [{ code: 'UNAUTHORIZED', message: 'log in' }] };
    return jsonAnswer(401, error, { 'www-authenticate': `${challenge}${scope && `,scope="${scope}"`}` });
  }

  function tokenAnswer({ url: asked, identity }: Question): RegistryAnswer {
    if (identity.kind === 'wrong') return jsonAnswer(401, { details: 'wrong login' });
    const user = identity.kind === 'user' ? identity.user : undefined;
    const token = logins.grant(
      user,
      asked.searchParams.getAll('scope').flatMap((each) => each.split(' ')),
    );
    return jsonAnswer(200, { token, access_token: token, expires_in: 300 });
  }

  function refusalFor({ identity, userIndex }: Question, repository: Repository) {
    const scope = `repository:${repository.name}:pull`;
    const scopes = identity.kind === 'user' ? identity.scopes : undefined;
    const isInScope = scopes === undefined || scopes.includes(scope);
    const { now, options: own } = repository;
    if (isInScope && (mayRead(now, userIndex) || now.readers === 'everyone')) return undefined;
    // A login, or a token instead of a Basic login, could open the repository.
    const mayHelp =
      identity.kind === 'none' || !isInScope || (options.scheme === 'bearer' && scopes === undefined);
    if (mayHelp) return unauthorized(options.scheme === 'bearer' ? scope : '');
    if (own.refusal === 'challenge') return unauthorized(options.scheme === 'bearer' ? scope : '');
    if (own.refusal === 'denied') return refuse(403, 'DENIED', repository, userIndex);
    return refuse(404, 'NAME_UNKNOWN', repository, userIndex);
  }

  function contentFor({ request, url: asked, userIndex }: Question, repository: Repository): RegistryAnswer {
    const [kind = '', reference = ''] = asked.pathname.slice(`/v2/${repository.name}/`.length).split('/');
    if (kind === 'tags')
      return jsonAnswer(200, { name: repository.name, tags: [...repository.now.tags.keys()] });
    if (kind === 'referrers') return referrersAnswer(repository);
    if (kind === 'manifests') {
      return manifestAnswer(repository, reference) ?? refuse(404, 'MANIFEST_UNKNOWN', repository, userIndex);
    }
    const found = blobAnswer(repository, reference, request.headers);
    if (found === undefined) return refuse(404, 'BLOB_UNKNOWN', repository, userIndex);
    const { flaw, redirects } = repository.options;
    const isLayer = found.body.length > 5_000;
    if (flaw === 'quota' && isLayer && request.method === 'GET')
      return refuse(403, 'DENIED', repository, userIndex);
    if (!redirects || request.method === 'HEAD' || found.status !== 200) return found;
    const location = `${options.storage}/${options.index}/${reference}`;
    return { status: 307, headers: { location }, body: new Uint8Array() };
  }

  return { url, logins, stop };
}

function repositoryIn({ pathname }: URL, repositories: readonly Repository[]): Repository | undefined {
  return repositories.find(({ name }) => pathname.startsWith(`/v2/${name}/`));
}
