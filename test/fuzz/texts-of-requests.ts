import { isDigest } from '../../converters/digest.ts';
import { compact, member } from '../../converters/json/document.ts';
import { RawEdit } from '../../converters/json/edit.ts';
import { goTime } from '../../converters/json/go-time.ts';
import { parseJson } from '../../converters/json/parse.ts';
import { formatPlatform, parsePlatform } from '../../converters/platform.ts';
import { parseReference, parseRepositoryName, parseTag } from '../../converters/reference.ts';
import { loginFor, parseDockerConfig } from '../../src/auth/docker-config.ts';
import { parseHtpasswd } from '../../src/auth/htpasswd-file.ts';
import { openContext, sealContext } from '../../src/client-state/v1-context.ts';
import { openToken } from '../../src/client-state/v1-token.ts';
import { byteRange } from '../../src/http/range.ts';
import { matchesEtag } from '../../src/http/responses.ts';
import { readAccept } from '../../src/negotiation/accept.ts';
import { capabilitiesOf } from '../../src/negotiation/capabilities.ts';
import { describeClient } from '../../src/negotiation/client-profile.ts';
import { nextQuery } from '../../src/upstream/api/link.ts';
import { decodeLogin } from '../../src/upstream/auth/basic.ts';
import { parseChallenges } from '../../src/upstream/auth/challenge.ts';
import { realmUrl, tokenUrl } from '../../src/upstream/auth/token-request.ts';
import { locationOf } from '../../src/upstream/redirect.ts';
import { testApp } from '../support/app.ts';
import { coded, hold, same, type TextTarget } from './text-target.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const key = new Uint8Array(32).fill(7);
const upstream = new URL('https://registry.test/base');
const { profile } = describeClient('docker/1.13.1');

const asked: URL[] = [];
const routes = testApp({}, async (url) => {
  asked.push(new URL(url));
  return new Response(null, { status: 404 });
});

/** The end of the path of an extension (distribution-spec, extensions/README.md), of a repository or of a registry. */
const extension = /(?:\/_[a-z\d]+(?:[._-][a-z\d]+)*)(?:\/[a-z\d]+(?:[._-][a-z\d]+)*){2}$/;

/**
 * A path never fails the proxy, and upstream gets no path but one of the distribution API with a valid name, or of an
 * extension.
 */
async function routed(text: string): Promise<void> {
  if (!text.startsWith('/') || !URL.canParse(`http://regshift.test${text}`)) return;
  asked.length = 0;
  const { status } = await routes.get(new URL(`http://regshift.test${text}`).href);
  hold(status < 500, 'a status below 500');
  for (const { pathname } of asked) {
    const base = pathname.replace(extension, '');
    const ofRepository =
      base === pathname
        ? /^\/v2\/(.+)\/(?:manifests|blobs|blobs\/uploads|tags|referrers)\/[^/]+$/
        : /^\/v2\/(.+)$/;
    const [, name] = ofRepository.exec(base) ?? [];
    hold(name === undefined || parseRepositoryName(name) !== undefined, `a name in ${pathname}`);
    hold(name !== undefined || /^\/v2(?:\/(?:_catalog)?)?$/.test(base), `an endpoint in ${pathname}`);
  }
}

const jwtKey = {
  ...{ kty: 'EC', crv: 'P-256', alg: 'ES256', kid: 'a' },
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const closed = testApp(
  {
    ...{ REGSHIFT_UPSTREAM_AUTH: 'basic', REGSHIFT_UPSTREAM_USERNAME: 'u', REGSHIFT_UPSTREAM_PASSWORD: 'p' },
    ...{ REGSHIFT_CLIENT_AUTH: 'jwt', REGSHIFT_JWT_ISSUER: 'https://a.test', REGSHIFT_JWT_AUDIENCE: 'b' },
    REGSHIFT_JWKS: JSON.stringify({ keys: [jwtKey] }),
    REGSHIFT_EVENTS_SECRET: 'a-secret-that-no-text-has',
  },
  async () => new Response('{}'),
);

/** No value of `Authorization` fails the proxy, and none but a right one opens it. */
async function shown(authorization: string): Promise<string> {
  const ways: string[] = [];
  for (const path of [
    '/v2/',
    '/v2/a/b/manifests/x',
    '/v1/repositories/a/b/images',
    '/v1/images/0/json',
    '/token',
  ]) {
    const { status } = await routes.get(path, { authorization });
    hold(status < 500, `a status below 500 at ${path}, not ${status}`);
    ways.push(String(status));
    const denied = await closed.get(path, { authorization });
    hold([400, 401, 403, 404].includes(denied.status), `a refusal at ${path}, not ${denied.status}`);
  }
  const { status } = await closed.send('POST', '/events', { authorization, 'content-length': '2' });
  hold(status === 401, `that no notification comes in, not ${status}`);
  return ways.join();
}

/** A value that may stand in a forwarded header. */
function isHeaderText(text: string): boolean {
  return !/[\r\n\0]/.test(text);
}

/** Readers of headers, paths, names, logins and claims. */
export const headerTargets: Readonly<Record<string, TextTarget>> = {
  reference: {
    seeds: [
      'library/busybox',
      'a.b__c-d/e',
      '1.0',
      'latest',
      digest,
      `sha512:${'0'.repeat(128)}`,
      'a//b',
      '../b',
      'A',
    ],
    check(text) {
      const name = parseRepositoryName(text);
      hold(
        name === undefined || (!/[^a-z0-9._/-]|\/\/|\.\.|^\/|\/$/.test(name) && name.length < 256),
        'a name',
      );
      hold(parseTag(text) === undefined || /^[\w][\w.-]{0,127}$/.test(text), 'a tag');
      const reference = parseReference(text);
      hold(reference?.kind !== 'digest' || /^sha(256|384|512):[0-9a-f]{64,128}$/.test(text), 'a digest');
      hold((reference?.kind === 'digest') === isDigest(text), 'a digest in both ways');
    },
  },

  path: {
    seeds: [
      '/v2/',
      `/v2/a/b/manifests/${digest}`,
      '/v2/a/manifests/1.0',
      `/v2/a/blobs/${digest}`,
      '/v2/a/blobs/uploads/x',
      '/v2/a/tags/list',
      `/v2/a/referrers/sha256%3A${digest.slice(7)}`,
      '/v2/_catalog',
      '/token',
      '//v2//a/manifests/x',
      '/v2/a/manifests/../../../x',
      '/v2/manifests/manifests/manifests',
      '/v2/%2e%2e/manifests/x',
    ],
    check: routed,
  },

  v1path: {
    seeds: [
      '/v1/_ping',
      '/v1/repositories/a/b/images',
      '/v1/repositories/a/tags/x',
      `/v1/images/${'0'.repeat(64)}/json`,
      '/v1/search',
    ],
    check: routed,
  },

  accept: {
    seeds: [
      'application/vnd.oci.image.index.v1+json, */*;q=0.1',
      'application/json;q=0',
      'text/plain; charset="a, b"',
      '*/*',
      ',',
      'application/vnd.docker.distribution.manifest.v2+json;q=2;x',
      'a/b;q=',
      'a/b;q=1e9, c/d;q=-1',
    ],
    check(text) {
      capabilitiesOf(readAccept(text), profile);
    },
  },

  useragent: {
    seeds: [
      'docker/1.9.1 go/go1.4.2 os/linux arch/amd64',
      'containerd/2.0.0',
      'docker/99999999999999999999.1',
      'skopeo/1',
      '()',
    ],
    check(text) {
      const { name } = describeClient(text);
      hold(typeof name === 'string' && name.length <= 1_024, 'the name of a client');
    },
  },

  challenge: {
    seeds: [
      'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a:pull,push"',
      'Basic realm="a, b", Bearer realm=https://x/?a=b',
      'Negotiate abc==, Basic realm="\\"x\\\\"',
      'bearer realm = "x" ,,',
    ],
    check(text) {
      const challenges = parseChallenges(text);
      const again = challenges.map(({ scheme, parameters }) => {
        const fields = [...parameters].map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`);
        return fields.length === 0 ? scheme : `${scheme} ${fields.join(',')}`;
      });
      if (again.join(', ').length < 8_000)
        hold(same(parseChallenges(again.join(', ')), challenges), 'the same again');
    },
  },

  authorization: {
    seeds: [
      'Basic dXNlcjpwYXNz',
      'Basic Og==',
      'Bearer abc.def.ghi',
      `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"exp":9999999999}')}.`,
      'Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.eyJleHAiOjk5OTk5OTk5OTl9.AAAA',
      'Token signature=abc,repository="a/b",access=read',
      'Token ',
      `Token ${await sealed()}`,
      'Negotiate x',
    ],
    async check(text) {
      // undici and Node refuse other bytes in a header before the program sees them.
      return /^[\t\x20-\x7e\x80-\xff]*$/.test(text) ? shown(text) : undefined;
    },
  },

  realm: {
    seeds: [
      'https://auth.test/token?x=1#y',
      'http://auth.test/',
      '//auth.test',
      'https://user:pass@auth.test/',
      'javascript:x',
      'https://[::1]/',
    ],
    check(text) {
      // Longer challenges are not read at all.
      if (text.length > 8_192) return;
      const url = coded(() => realmUrl({ realm: text }, upstream));
      hold(
        url === undefined || (url.protocol === 'https:' && url.username === '' && url.hash === ''),
        'a realm',
      );
      const request = { realm: text, service: text, scopes: [text], credential: { kind: 'none' as const } };
      const asked = coded(() => tokenUrl(request, upstream));
      hold(asked?.origin === url?.origin, 'that a scope leads nowhere else');
    },
  },

  location: {
    seeds: [
      'https://storage.test/x?sig=1',
      '/v2/a',
      '//storage.test/x',
      'http://storage.test/',
      'file:///etc/passwd',
      'https://u:p@x/',
      '?x',
      '\\\\x',
    ],
    check(text) {
      if (!isHeaderText(text) || /[^\x20-\xff]/.test(text)) return;
      const headers = new Headers({ location: text });
      const url = coded(() => locationOf({ status: 307, headers }, upstream));
      hold(
        url === undefined || (url.protocol === 'https:' && url.username + url.password === ''),
        'a location',
      );
    },
  },

  range: {
    seeds: [
      'bytes=0-',
      'bytes=-5',
      'bytes=3-7',
      'bytes=99-',
      'bytes=0-1,3-4',
      'bytes=9-3',
      'items=0-',
      'bytes=999999999999999-',
    ],
    check(text) {
      for (const length of [0, 1, 10, 2 ** 40]) {
        const range = byteRange(text, length);
        if (range === undefined || range === 'unsatisfiable') continue;
        const { start, end } = range;
        hold(
          Number.isSafeInteger(start) && start >= 0 && start <= end && end < length,
          `a range of ${length}`,
        );
      }
    },
  },

  etag: {
    seeds: ['"a"', `W/"${digest}", "b"`, '*', '"', ','],
    check(text) {
      hold(typeof matchesEtag(text, digest) === 'boolean', 'a condition');
    },
  },

  link: {
    seeds: [
      '</v2/a/tags/list?n=1&last=b>; rel="next"',
      '<https://x.test/?next_page=%3E>;rel=next',
      '<a>; rel="prev", <?b>; rel="next"',
      '<',
    ],
    check(text) {
      const query = nextQuery(text);
      hold(
        query === undefined || (query.startsWith('?') && !query.includes('>') && text.includes(query)),
        'a query',
      );
    },
  },

  login: {
    seeds: ['dXNlcjpwYXNz', btoa('a:b:c'), btoa(':'), 'w7wK', '===='],
    check(text) {
      const login = decodeLogin(text);
      hold(login === undefined || !login.username.includes(':'), 'a user name');
    },
  },

  dockerconfig: {
    seeds: [
      '{"auths":{"registry.test":{"auth":"dXNlcjpwYXNz"}}}',
      '{"auths":{"https://registry.test/v1/":{"identitytoken":"x"}}}',
      '{"credHelpers":{"registry.test":"ecr-login"}}',
      '{"credsStore":"desktop","auths":{"__proto__":{}}}',
    ],
    check(text) {
      // Node 24's URL.canParse and URL differ about hosts of more than 16 KiB.
      if (text.length > 16_384) return;
      const config = parseDockerConfig(text);
      const found = config && loginFor(config, upstream);
      if (found && 'helper' in found)
        hold(/^docker-credential-[\w.-]+$/.test(found.helper.program), 'a program');
    },
  },

  htpasswd: {
    seeds: [
      `user:$2y$05$${'a'.repeat(53)}\n# note\n\n`,
      'user:{SHA}x',
      'a:b:c',
      '__proto__:$2b$05$x',
      '\r\n:\n',
    ],
    check(text) {
      for (const [name, { hash }] of parseHtpasswd(text).entries)
        hold(!name.includes(':') && hash.startsWith('$2'), 'an entry');
    },
  },

  time: {
    seeds: [
      '2015-11-20T12:00:00.123456789Z',
      '2015-11-20T12:00:00+01:00',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59-23:59',
    ],
    check(text) {
      const time = goTime(text);
      hold(time === undefined || goTime(time) === time, 'a time that is the same again');
    },
  },

  platform: {
    seeds: ['linux/amd64', 'linux/arm/v7', 'windows/amd64', 'linux', 'a/b/c/d'],
    check(text) {
      const platform = parsePlatform(text);
      hold(
        platform === undefined || same(parsePlatform(formatPlatform(platform)), platform),
        'a platform again',
      );
    },
  },

  json: {
    seeds: [
      '{"a":1,"b":[{"c":"\\u00e9\\ud800"},null]}',
      '{ "a" : 1e400 ,\n"__proto__":{"x":-0.0}}',
      '[]',
      '{"a":1,"a":2}',
      '"\ud800"',
    ],
    check(text) {
      const bytes = new TextEncoder().encode(text);
      const document = coded(() => parseJson(bytes, { what: 'it', keys: 'distinct' }));
      if (document === undefined) return;
      const meant = JSON.parse(text.toWellFormed()) as unknown;
      hold(same(JSON.parse(compact(document, document.root).toWellFormed()), meant), 'what it means');
      if (document.root.kind !== 'object') return;
      const { root } = document;
      const edit = new RawEdit(document);
      const set = root.members[0]?.key ?? 'new';
      edit.set(root, set, '"set"', 'last');
      edit.removeMembers(root, (name) => name !== set && name.length % 2 === 0);
      const now = parseJson(new TextEncoder().encode(edit.apply()), { what: 'it', keys: 'distinct' });
      hold(now.root.kind === 'object' && member(now.root, set)?.kind === 'string', 'an edit');
    },
  },

  claim: {
    seeds: [await sealed(), 'a.b.c.d.e', ''],
    async check(text) {
      const [good] = headerTargets.claim?.seeds ?? [];
      const context = await openContext(text, key);
      // Base64url has some spellings for the same bytes.
      hold(
        context === undefined || same(bytesOf(text), bytesOf(good ?? '')),
        'that only what was sealed is opened',
      );
      hold((await openToken(text, key, new Date(0))) === undefined, 'that a context is no token');
    },
  },
};

function bytesOf(claim: string): string[] {
  return claim.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
}

async function sealed(): Promise<string> {
  const context = { repository: parseRepositoryName('team/app'), tag: undefined };
  return sealContext(context as Parameters<typeof sealContext>[0], key, 'all');
}
