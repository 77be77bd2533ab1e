import { mediaTypes } from '../../../converters/media-types.ts';
import { containerdGetHeaders, type HeaderLine, manifestRequestHeaders } from '../old-clients.ts';
import type { RawResponse } from '../raw-http.ts';
import { sha256Of } from '../sha256.ts';
import { basicOf } from '../upstreams/habit.ts';
import { type GoChallenge, parseGoChallenge } from './go-challenge.ts';
import { chooseChild, type Descriptor, fetchImage } from './image-manifest.ts';
import { type Session, startSession } from './session.ts';
import type { PulledImage, Simulator } from './simulator.ts';
import { getToken } from './token.ts';

const { schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

/** containerd 1.6: no ping; HEAD of the tag, then only digests, each with the media type and the size that it got. */
export const containerd: Simulator = {
  name: 'containerd 1.6',
  async pull(target) {
    const session = startSession(target);
    const path = `/v2/${target.repository}/manifests/${target.reference}`;
    const head = await request(session, 'HEAD', path, manifestRequestHeaders['containerd HEAD']);
    const digest = head.header('Docker-Content-Digest') ?? '';
    const size = Number(head.header('Content-Length') ?? Number.NaN);
    const mediaType = head.header('Content-Type') ?? '';
    if (target.reference.includes(':') && target.reference !== digest) throw new Error(`${digest} was told`);
    const pulled = await pullManifest(session, { digest, size, mediaType });
    return { ...pulled, requests: session.requests };
  },
};

async function pullManifest(session: Session, wanted: Descriptor): Promise<Omit<PulledImage, 'requests'>> {
  const { repository, architecture } = session.target;
  const path = `/v2/${repository}/manifests/${wanted.digest}`;
  const answer = await request(session, 'GET', path, containerdGetHeaders(wanted.mediaType));
  const { body } = answer;
  if (body.length !== wanted.size) throw new Error(`${path}: ${body.length} bytes, not ${wanted.size}`);
  if ((await sha256Of(body)) !== wanted.digest) throw new Error(`unexpected commit digest for ${path}`);
  const { digest, mediaType: type } = wanted;
  if (type === dockerList || type === ociIndex) {
    const child = await pullManifest(session, chooseChild(answer, architecture));
    return { ...child, digest, types: [type, ...child.types] };
  }
  if (type !== schema2 && type !== ociManifest)
    throw new Error(`unexpected media type ${type} for ${digest}`);
  const rules = { checksSizes: true, knowsZstd: true, blobHeaders: containerdGetHeaders };
  return { digest, types: [type], ...(await fetchImage(session, body, rules)) };
}

/** Sends a request. After a 401 it follows the challenge and sends the request once more. */
async function request(
  session: Session,
  method: string,
  path: string,
  headers: readonly HeaderLine[],
): Promise<RawResponse> {
  const first = await session.send(method, path, headers);
  if (first.status === 200) return first;
  if (first.status !== 401) throw new Error(`${method} ${path}: unexpected status ${first.status}`);
  await logIn(session, first);
  return session.expectOk(method, path, headers);
}

async function logIn(session: Session, refusal: RawResponse): Promise<void> {
  const { login, repository } = session.target;
  const challenge = parseGoChallenge(refusal.header('WWW-Authenticate'));
  if (challenge?.scheme === 'basic' && login) session.authorization = basicOf(login);
  if (challenge?.scheme !== 'bearer') return;
  const headers = [['User-Agent', 'containerd/1.6.20~ds1']] as const;
  const named = challenge.parameters.get('scope');
  const scopes = [...new Set([`repository:${repository}:pull`, ...(named ? [named] : [])])];
  const granted = login && (await tryOauth(session, challenge, scopes, headers));
  if (granted) {
    session.authorization = `Bearer ${granted}`;
    return;
  }
  session.authorization = `Bearer ${await getToken(session, { challenge, scopes, headers, namesAccount: false })}`;
}

/**
 * Requests a token for a password by POST (OAuth 2).
 * @returns undefined after a 405, a 404 or a 401: the caller then sends GET (containerd 1.6, remotes/docker/authorizer.go,
 *   `fetchToken`).
 */
async function tryOauth(
  session: Session,
  { parameters }: GoChallenge,
  scopes: readonly string[],
  headers: readonly HeaderLine[],
): Promise<string | undefined> {
  const { username, password } = session.target.login ?? { username: '', password: '' };
  const form = new URLSearchParams({
    grant_type: 'password',
    client_id: 'containerd-client',
    username,
    password,
  });
  form.set('service', parameters.get('service') ?? '');
  form.set('scope', scopes.join(' '));
  const body = new TextEncoder().encode(form.toString());
  const length = ['Content-Length', String(body.length)] as const;
  const type = ['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8'] as const;
  const answer = await session.send('POST', parameters.get('realm') ?? '', [...headers, length, type], body);
  if ([401, 404, 405].includes(answer.status)) return undefined;
  if (answer.status !== 200) throw new Error(`POST for a token: ${answer.status}`);
  return (JSON.parse(new TextDecoder().decode(answer.body)) as { access_token: string }).access_token;
}
