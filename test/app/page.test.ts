import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { machineRoles } from '../../src/auth/clouds/machine-roles.ts';
import type { Cache } from '../../src/cache/cache.ts';
import { pageLink } from '../../src/http/page/document.ts';
import { machines } from '../../src/http/page/machines.ts';
import { knownClients } from '../../src/negotiation/known-clients.ts';
import type { Budget } from '../../src/request/budget.ts';
import { type Answer, type TestApp, testApp } from '../support/app.ts';
import { addImage, addIndex, builtRepository, linux } from '../support/built-repository.ts';
import { holding, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import {
  basicChallenge,
  countingPulls,
  privateTo,
  type Script,
  scriptedUpstream,
  specError,
} from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

const html = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const alice = 'Basic YWxpY2U6c2VjcmV0';
/** The password is "secret". */
const htpasswd = 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
const bob = 'Basic Ym9iOnNlY3JldA==';

const see = (app: TestApp, query: string, more: Record<string, string> = {}): Promise<Answer> =>
  app.get(`/${query}`, { Accept: html, ...more });

/** The manifests that were fetched, which a registry may count. */
const pulls = (asked: readonly string[]) => asked.filter((each) => /^GET .*\/manifests\//.test(each));

const text = (answer: Answer) =>
  answer
    .text()
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('GET /', () => {
  it.each([undefined, '*/*', 'application/json', 'text/html;q=0, */*'])(
    'is a few lines of text for a program: Accept %s',
    async (accept) => {
      const answer = await testApp().get('/', accept === undefined ? {} : { Accept: accept });
      expect(answer.header('Content-Type')).toMatch(/^text\/plain/);
      expect(answer.text()).toMatch(/^regshift \d/);
      expect(answer.header('Vary')).toBe('Accept');
    },
  );

  it('is the page for a browser, and tells what it is, whether it is healthy and what to type', async () => {
    const answer = await see(testApp(), '');
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text(answer)).toContain('One registry, every client');
    expect(text(answer)).toContain('Healthy: the registry answers.');
    expect(text(answer)).toContain('docker pull regshift.test/sample/index');
    expect(answer.text()).toContain('<label for="image">');
  });

  it('lets nothing run or load but the files of the proxy, and no cache keep it', async () => {
    const answer = await see(testApp(), '?image=sample/oci');
    const policy = answer.header('Content-Security-Policy');
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(answer.header('Cache-Control')).toBe('no-store');
    expect(answer.header('Set-Cookie')).toBeNull();
    expect(answer.text()).not.toMatch(
      /<script(?! type="module" src="\.\/page\/)|<style| style=| on\w+=|https?:\/\/(?!regshift\.test)/,
    );
  });

  it('is text for everyone with REGSHIFT_PAGE=off, and the page has no files', async () => {
    const app = testApp({ REGSHIFT_PAGE: 'off' });
    expect((await see(app, '')).header('Content-Type')).toMatch(/^text\/plain/);
    expect((await see(app, '?image=sample/oci')).text()).toMatch(/^regshift \d/);
    for (const path of ['/page/page.css', '/page/page.js', '/page/names'])
      expect((await app.get(path)).status).toBe(404);
  });

  it('has its script and style, as the sources have them', async () => {
    const app = testApp();
    const script = await app.get('/page/page.js');
    expect([script.status, script.header('Content-Type')]).toEqual([200, 'text/javascript; charset=utf-8']);
    const style = await app.get('/page/page.css');
    expect([style.status, style.header('Content-Type')]).toEqual([200, 'text/css; charset=utf-8']);
    expect((await app.get('/page/other.js')).status).toBe(404);
    expect((await app.send('POST', '/')).status).toBe(404);
  });
});

describe('an image', () => {
  it('has a row for each generation of clients, with what that client gets', async () => {
    const app = testApp();
    const answer = await see(app, '?image=sample/index:1.0');
    expect(answer.status).toBe(200);
    const rows = answer.text().split('<tr').slice(2);
    expect(rows).toHaveLength(knownClients.length);
    for (const [at, { name, userAgent, accept }] of knownClients.entries()) {
      const row = rows[at] ?? '';
      expect(row).toContain(name.replace("'", '&#39;'));
      if (userAgent === 'docker/1.5.0') continue;
      const headers = [
        ['User-Agent', userAgent] as const,
        ...accept.map((line) => ['Accept', line] as const),
      ];
      const sent = await app.get('/v2/sample/index/manifests/1.0', headers);
      expect(row).toContain(`title="${sent.header('Docker-Content-Digest')}"`);
    }
  });

  it('has a name of its own for each link of a row, for the list of links of a screen reader', async () => {
    const answer = await see(testApp(), '?image=sample/oci');
    const names = [...answer.text().matchAll(/client=[^>]* aria-label="([^"]*)">([^<]*)</g)];
    expect(names.length).toBeGreaterThan(10);
    expect(new Set(names.map(([, name]) => name)).size).toBe(names.length);
    // A user of voice control says the visible text (WCAG 2.2, 2.5.3).
    for (const [, name = '', seen = ''] of names) expect(name.startsWith(`${seen} for `)).toBe(true);
  });

  it('shows what is stored: form, platforms, attestations, layers with their compression', async () => {
    const shown = text(await see(testApp(), '?image=sample/index'));
    expect(shown).toContain('Stored as an OCI index');
    expect(shown).toContain('2 images, 2 attestations.');
    expect(shown).toContain('linux/arm64/v8');
    expect(shown).toMatch(/2 layers of linux\/amd64, 4,654 bytes in all/);
    expect(shown).toMatch(/gzip 2,583 bytes/);
    expect(text(await see(testApp(), '?image=sample/index&platform=linux/arm64/v8'))).toMatch(
      /layers of linux\/arm64/,
    );
  });

  it.each(['v99', 'constructor', '__proto__'])(
    'tells that no image is for the variant %s',
    async (variant) => {
      const answer = await see(testApp(), `?image=sample/index-arm&platform=linux/arm/${variant}`);
      expect(answer.status).toBe(200);
      expect(text(answer)).toContain(`There is no image for linux/arm/${variant}`);
    },
  );

  it.each([
    ['sample/oci', 'sample/oci'],
    ['docker pull regshift.test/sample/oci:1.0', 'sample/oci:1.0'],
    ['https://regshift.test/sample/oci', 'sample/oci'],
    ['docker://regshift.test/sample/oci', 'sample/oci'],
    ['docker pull 192.0.2.7:8080/sample/oci:1.0', 'sample/oci:1.0'],
    ['https://user:hunter2@regshift.test/sample/oci', 'sample/oci'],
    ['docker pull -q regshift.test/sample/oci:1.0', 'sample/oci:1.0'],
    ['docker pull sample/oci:1.0 --quiet', 'sample/oci:1.0'],
    ['sudo podman pull --tls-verify=false --creds a:b 192.0.2.7:8080/sample/oci', 'sample/oci'],
    ['docker pull --platform linux/amd64 sample/oci', 'sample/oci'],
    ['docker pull --platform "linux/amd64" sample/oci # the base', 'sample/oci'],
    ['podman pull sample/oci --creds a:b && echo done', 'sample/oci'],
    ['docker run -it --rm -p 80:80 -v /a:/b regshift.test/sample/oci:1.0 sh', 'sample/oci:1.0'],
    ['skopeo copy docker://192.0.2.7:8080/sample/oci:1.0 dir:/tmp/x', 'sample/oci:1.0'],
    ['helm pull oci://192.0.2.7:8080/sample/helm-chart --version 1.0', 'sample/helm-chart'],
    ['FROM --platform=$BUILDPLATFORM sample/oci:1.0 AS build', 'sample/oci:1.0'],
    ['  - image: "sample/oci:1.0"', 'sample/oci:1.0'],
    ['"image": "192.0.2.7:8080/sample/oci:1.0",', 'sample/oci:1.0'],
    ['Failed to pull image "regshift.test/sample/oci:1.0": rpc error: code = Unknown', 'sample/oci:1.0'],
    ['`sample/oci`', 'sample/oci'],
    ['"sample/oci:1.0",', 'sample/oci:1.0'],
    ['\u200bsample/oci', 'sample/oci'],
    ['http://regshift.test/v2/sample/oci/manifests/1.0?ns=docker.io', 'sample/oci:1.0'],
    ['"GET /v2/sample/oci/manifests/1.0 HTTP/1.1" 200', 'sample/oci:1.0'],
    ['https://regshift.test/v2/sample/oci/tags/list', 'sample/oci'],
  ])('is found by %s', async (written, shown) => {
    const answer = await see(testApp(), `?${new URLSearchParams({ image: written })}`);
    expect(answer.status).toBe(200);
    expect(answer.text()).toContain(`<h1 class="image">${shown}</h1>`);
  });

  it.each(['docker pull proxy.example/sample/oci:1.0', 'regshift.test/sample/oci:1.0'])(
    'is found by the address of REGSHIFT_PUBLIC_URL, which the page shows, and by that of the browser: %s',
    async (written) => {
      const app = testApp({ REGSHIFT_PUBLIC_URL: 'https://proxy.example' });
      const answer = await see(app, `?${new URLSearchParams({ image: written })}`);
      expect([answer.status, answer.text()]).toEqual([
        200,
        expect.stringContaining('<h1 class="image">sample/oci:1.0</h1>'),
      ]);
    },
  );

  it.each([
    ['https://hub.docker.com/r/sample/oci/tags', 'docker.io/sample/oci'],
    ['https://hub.docker.com/_/nginx', 'docker.io/library/nginx'],
    ['https://quay.io/repository/sample/oci?tab=tags', 'quay.io/sample/oci'],
    ['https://github.com/sample/source/pkgs/container/oci', 'ghcr.io/sample/oci'],
    ['https://github.com/orgs/sample/packages/container/package/oci', 'ghcr.io/sample/oci'],
  ])('is found by the web page of another registry: %s', async (image, name) => {
    const answer = await see(testApp(), `?${new URLSearchParams({ image })}`);
    expect(text(answer)).toContain(`No answer for ${name} `);
  });

  it.each([
    'Error response from daemon: missing signature key',
    "pull access denied for team/app, repository does not exist or may require 'docker login'",
  ])('gives way to the entry of an error in its field: %s', async (image) => {
    const answer = await see(testApp(), `?${new URLSearchParams({ image })}`);
    expect([answer.status, text(answer)]).toEqual([200, expect.stringContaining('What to do')]);
  });

  it.each(['docker login -u alice -p hunter2 regshift.test', 'https://alice:hunter2@regshift.test'])(
    'is no part of the log where it is no image name: %s',
    async (image) => {
      const app = testApp();
      const answer = await see(app, `?${new URLSearchParams({ image })}`);
      expect([answer.status, text(answer)]).toEqual([
        400,
        expect.stringMatching(/ is not an image name| has no valid digest/),
      ]);
      expect(app.logged.at(-1)?.facts).toMatchObject({
        error: 'NAME_INVALID',
        reason: 'The image in the query is not an image name.',
      });
      expect(JSON.stringify(app.logged)).not.toContain('hunter2');
    },
  );

  it('is quoted as the viewer wrote it where it is no image name', async () => {
    const answer = await see(testApp(), '?image=localhost/Team/app');
    expect(text(answer)).toContain('&quot;localhost/Team/app&quot; is not an image name.');
  });

  it('shows the manifest of a client beside the stored one, with marks where they differ', async () => {
    const answer = await see(testApp(), '?image=sample/oci&client=docker-1.13');
    expect(answer.text()).toMatch(/<del>.*vnd\.oci\.image\.manifest\.v1\+json/);
    expect(answer.text()).toMatch(/<ins>.*vnd\.docker\.distribution\.manifest\.v2\+json/);
    const same = await see(testApp(), '?image=sample/oci&client=skopeo');
    expect(same.text()).not.toMatch(/<del>|<ins>/);
    expect(text(same)).toContain('The stored bytes, unchanged.');
  });

  it.each([
    'FROM --platform=linux/arm64 regshift.test/sample/index:1.0',
    'docker run --platform linux/arm64 --rm regshift.test/sample/index:1.0 sh',
    'podman pull --arch arm64 sample/index:1.0',
    'skopeo --override-arch=arm64 inspect docker://regshift.test/sample/index:1.0',
  ])('is shown for the platform of the line: %s', async (image) => {
    const answer = await see(testApp(), `?${new URLSearchParams({ image })}`);
    expect(text(answer)).toMatch(/layers of linux\/arm64/);
  });

  it.each(['--platform linux/arm64', '--platform=linux/arm64', '-q --platform linux/arm64'])(
    'is shown for the platform of the command: %s',
    async (options) => {
      const image = `docker pull ${options} 127.0.0.1:8080/sample/index:1.0`;
      const answer = await see(testApp(), `?${new URLSearchParams({ image })}`);
      expect(answer.text()).toContain('<h1 class="image">sample/index:1.0</h1>');
      expect(text(answer)).toMatch(/layers of linux\/arm64/);
      const unknown = await see(testApp(), `?${new URLSearchParams({ image: image.replace('/arm64', '') })}`);
      expect([unknown.status, text(unknown)]).toEqual([404, expect.stringContaining('platform “linux”')]);
      const other = await see(testApp(), `?${new URLSearchParams({ image, platform: 'linux/amd64' })}`);
      expect(text(other)).toMatch(/layers of linux\/amd64/);
    },
  );

  it('shows no manifest as sent to Docker up to 1.5, which pulls by registry API v1', async () => {
    const app = testApp();
    const refused = await app.get('/v2/sample/oci/manifests/1.0', { 'User-Agent': 'docker/1.5.0' });
    expect(refused.status).toBe(404);
    const answer = await see(app, '?image=sample/oci&client=docker-1.5');
    expect([answer.status, text(answer)]).toEqual([
      200,
      expect.stringContaining(
        'regshift answers 404 by registry API v2, and the client pulls by registry API v1.',
      ),
    ]);
    expect(text(answer)).toMatch(/ Stored an OCI manifest/);
    expect(answer.text()).not.toMatch(/Sent|schema 1|<del>|<ins>/i);
  });

  it('says that Docker up to 1.5 cannot ask for a digest', async () => {
    const image = `sample/index@${await digestOf('sample/index', 'amd64')}`;
    const said = 'The client pulls by registry API v1, which has no digests.';
    const rows = (await see(testApp(), `?image=${image}`)).text().split('<tr').slice(2);
    expect(rows.map((row) => row.includes(said))).toEqual(knownClients.map(({ id }) => id === 'docker-1.5'));
    expect(rows[0]).toContain(' class="refused">');
    const compared = text(await see(testApp(), `?image=${image}&client=docker-1.5`));
    expect(compared).toContain(said);
    expect(compared).not.toMatch(/ Sent |then pulls/);
  });

  it('says in words what a client loses: no path, no internal name', async () => {
    for (const query of ['?image=sample/index', '?image=sample/index&client=docker-1.13']) {
      const shown = text(await see(testApp(), query));
      expect(shown).not.toMatch(/\$\.\w|nestedIndex| × /);
      expect(shown).toContain(
        query.includes('client') ? 'A build attestation is left out' : '2 attestations',
      );
    }
  });

  it('is no way to a repository that is not served', async () => {
    const app = testApp({ REGSHIFT_REPOSITORIES: 'team/**' });
    expect((await see(app, '?image=sample/oci')).status).toBe(404);
  });

  it.each(['sample/oci', 'sample/oci:none', 'sample/none', 'short'])(
    "asks the registry, with the proxy's own account, nothing about a repository that is not served: %s",
    async (image) => {
      const upstream = scriptedUpstream();
      const variables = {
        REGSHIFT_REPOSITORIES: 'sample/index',
        REGSHIFT_ALIASES: 'short=sample/oci',
        REGSHIFT_UPSTREAM_AUTH: 'basic',
        REGSHIFT_CLIENT_AUTH: 'none',
        REGSHIFT_UPSTREAM_USERNAME: 'proxy',
        REGSHIFT_UPSTREAM_PASSWORD: 'hidden',
      };
      const app = testApp(variables, upstream.fetch);
      for (const more of ['', '&client=docker-1.13', '&client=docker-1.5', '&platform=linux/arm64']) {
        const answer = await see(app, `?image=${image}${more}`);
        expect(answer.status).toBe(404);
        expect(text(answer)).toContain(`The repository ${image.replace(/:.*/, '')} is not served here.`);
        expect(text(answer)).not.toContain('Tags of');
      }
      expect(upstream.asked.filter((each) => !each.includes('/v2/_catalog'))).toEqual([]);
    },
  );

  it('goes to the route of its name', async () => {
    const registries = network({ 'http://one.test': holding({ 'team/app': 'sample/oci' }) });
    const config = {
      upstreamAuth: 'anonymous',
      routes: [{ match: { path: 'one/' }, upstream: 'http://one.test' }],
    };
    const app = testApp({ REGSHIFT_CONFIG: JSON.stringify(config), REGSHIFT_UPSTREAM: '' }, registries.fetch);
    expect(text(await see(app, '?image=one/team/app'))).toContain('Stored as an OCI manifest');
    const other = await see(app, '?image=two/team/app');
    expect([other.status, text(other)]).toEqual([
      404,
      expect.stringContaining('No route of this proxy leads'),
    ]);
  });
});

/** The digests of the layers that a document shows. */
function layersIn(answer: Answer): (string | undefined)[] {
  const found = answer.text().matchAll(/<li><span class="kind[\s\S]*?title="(sha256:\w+)"/g);
  return [...found].map(([, digest]) => digest);
}

const layersOf = async (app: TestApp, query: string) => layersIn(await see(app, query));

describe('no layer is read', () => {
  it.each(['sample/oci', 'sample/oci-zstd', 'sample/generic', 'sample/index-zstd', 'sample/schema1'])(
    'for %s: its config alone is fetched, now and later',
    async (image) => {
      const upstream = scriptedUpstream();
      const app = testApp({}, upstream.fetch);
      const answer = await see(app, `?image=${image}`);
      for (const { id } of knownClients) await see(app, `?image=${image}&client=${id}`);
      await app.settled();
      expect(answer.status).toBe(200);
      expect(upstream.probed).toEqual([]);
      const layers = layersIn(answer);
      expect(layers.length).toBeGreaterThan(0);
      const read = upstream.asked.filter((each) => layers.some((layer) => each.endsWith(`/blobs/${layer}`)));
      expect(read).toEqual([]);
    },
  );

  it('for the platforms that a list still lacks, also where a pull would try again to read them', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const layers = await layersOf(app, '?image=sample/index-zstd&platform=linux/arm64/v8');
    const isLayer = (path: string) => layers.some((layer) => path.endsWith(`/blobs/${layer}`));
    upstream.follow((_, { pathname }) => (isLayer(pathname) ? specError(503, 'UNKNOWN') : undefined));
    const docker113 = manifestRequestHeaders['Docker 1.13.1'];
    expect((await app.get('/v2/sample/index-zstd/manifests/latest', docker113)).status).toBe(200);
    await app.settled();
    expect(upstream.asked.some(isLayer)).toBe(true);
    app.advance(3_600);
    upstream.follow();
    upstream.forget();
    await see(app, '?image=sample/index-zstd');
    await app.settled();
    expect(upstream.asked.filter(isLayer)).toEqual([]);
  });

  it('so a digest that needs one is known after the first pull', async () => {
    const app = testApp();
    expect(text(await see(app, '?image=sample/oci-zstd'))).toContain('known after the first pull');
    await app.get('/v2/sample/oci-zstd/manifests/latest', { 'User-Agent': 'docker/1.9.1' });
    const docker19 = (await see(app, '?image=sample/oci-zstd')).text().split('<tr')[3] ?? '';
    expect(docker19).toContain('Docker 1.6–1.9');
    expect(docker19).toMatch(/title="sha256:/);
  });
});

describe('a registry that counts pulls', () => {
  it('is asked for no manifest before the viewer agrees, and for the index and one image then', async () => {
    const upstream = scriptedUpstream(countingPulls);
    const app = testApp({}, upstream.fetch);
    const question = await see(app, '?image=sample/index');
    expect(text(question)).toContain('at most 2 counted pulls');
    expect(pulls(upstream.asked)).toEqual([]);
    const link =
      /href="\.\/(\?[^"]*pulls=2[^"]*)"/.exec(question.text())?.[1]?.replaceAll('&amp;', '&') ?? '';
    const answer = await see(app, link);
    expect(text(answer)).toContain('What each client gets');
    expect(pulls(upstream.asked)).toHaveLength(2);
    // Cached manifests cost nothing more.
    expect(text(await see(app, '?image=sample/index'))).toContain('What each client gets');
    for (const { id } of knownClients) await see(app, `?image=sample/index&client=${id}`);
    await app.settled();
    expect(pulls(upstream.asked)).toHaveLength(2);
  });

  it('is asked for a further image after a further click', async () => {
    const upstream = scriptedUpstream(countingPulls);
    const app = testApp({}, upstream.fetch);
    await see(app, '?image=sample/index');
    await see(app, '?image=sample/index&pulls=2');
    const other = await see(app, '?image=sample/index&platform=linux/arm64/v8');
    expect(text(other)).toContain('1 counted pull');
    expect(pulls(upstream.asked)).toHaveLength(2);
    expect(text(await see(app, '?image=sample/index&platform=linux/arm64/v8&pulls=1'))).toContain(
      'layers of linux/arm64',
    );
    expect(pulls(upstream.asked)).toHaveLength(3);
  });

  it('is asked for two manifests at most, also with REGSHIFT_LISTS=full and a larger number', async () => {
    const upstream = scriptedUpstream(countingPulls);
    const app = testApp({ REGSHIFT_LISTS: 'full' }, upstream.fetch);
    await see(app, '?image=sample/index-arm&pulls=100');
    expect(pulls(upstream.asked)).toHaveLength(2);
  });

  it('is not asked for a manifest by a link of another site', async () => {
    const upstream = scriptedUpstream(countingPulls);
    const app = testApp({}, upstream.fetch);
    const answer = await see(app, '?image=sample/index&pulls=2', { 'Sec-Fetch-Site': 'cross-site' });
    expect(text(answer)).toContain('at most 2 counted pulls');
    expect(pulls(upstream.asked)).toEqual([]);
  });

  it('gives a pull at the same time all that the pull needs: the work of a look-up is not shared', async () => {
    const upstream = scriptedUpstream(countingPulls);
    const arm64 = await digestOf('sample/index', 'arm64');
    let pull: Promise<Answer> | undefined;
    // The pull comes while the look-up asks a far cache for an image that it may not fetch.
    const cache = {
      async get(key: string) {
        if (pull === undefined && key.includes(arm64)) {
          pull = app.get('/v2/sample/index/manifests/latest', manifestRequestHeaders['Docker 1.13.1']);
          await new Promise((resolve) => setTimeout(resolve, 150));
        }
        return undefined;
      },
      set: async () => undefined,
    };
    const tiers = [{ name: 'far', cache, accepts: () => true }];
    const app: TestApp = testApp({ REGSHIFT_LISTS: 'full' }, upstream.fetch, { tiers });
    const looked = await see(app, '?image=sample/index&pulls=2');
    expect(text(looked)).toContain('known after the first pull');
    expect((await pull)?.status).toBe(200);
  });
});

/** The digest of the image of an index of the sample registry for an architecture. */
async function digestOf(sample: string, architecture: string): Promise<string> {
  const index = JSON.parse(
    (await testApp().get(`/v2/${sample}/manifests/latest`, { Accept: '*/*' })).text(),
  ) as {
    manifests: { digest: string; platform: { architecture: string } }[];
  };
  return index.manifests.find(({ platform }) => platform.architecture === architecture)?.digest ?? '';
}

describe("the viewer's right", () => {
  it('decides: the browser asks for a login, and another login sees nothing of what is cached', async () => {
    const upstream = scriptedUpstream(privateTo(alice));
    const app = testApp({}, upstream.fetch);
    expect((await see(app, '')).status).toBe(200);
    for (const query of ['?image=sample/oci', '?image=sample/oci&client=docker-1.13']) {
      expect((await see(app, query, { Authorization: alice })).status).toBe(200);
      for (const other of [{}, { Authorization: bob }]) {
        const answer = await see(app, query, other);
        expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="regshift"']);
        expect(answer.text()).not.toMatch(/sha256:|What each client/);
      }
    }
  });

  it('is asked for at a registry whose tokens come from a token server, and the login is exchanged', async () => {
    const script: Script = (request, url) => {
      const bearer = 'Bearer realm="https://auth.test/token",service="r"';
      const authorization = request.headers.get('authorization');
      if (url.origin === 'https://auth.test')
        return authorization === alice ? Response.json({ token: 'good' }) : specError(401, 'UNAUTHORIZED');
      return authorization === 'Bearer good'
        ? undefined
        : specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': bearer });
    };
    const app = testApp({}, scriptedUpstream(script).fetch);
    const answer = await see(app, '?image=sample/oci');
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="regshift"']);
    expect((await see(app, '?image=sample/oci', { Authorization: alice })).status).toBe(200);
  });

  it('is explained to a viewer who leaves the dialog for a login', async () => {
    const closed = testApp({}, scriptedUpstream(privateTo(alice)).fetch);
    const answer = text(await see(closed, '?image=sample/oci'));
    expect(answer).toContain('Reload this page: the browser asks for a login.');
    expect(answer).toContain('a name and a password of the registry.');
    const own = { REGSHIFT_CLIENT_AUTH: 'basic', REGSHIFT_HTPASSWD: htpasswd };
    const locked = testApp({ ...own, REGSHIFT_UPSTREAM_AUTH: 'anonymous', REGSHIFT_PAGE: 'status' });
    for (const query of ['?image=sample/oci', '?status']) {
      const refused = text(await see(locked, query));
      expect(refused).toContain('a name and a password of this proxy.');
      expect(refused).not.toContain('docker login');
    }
    expect(answer).not.toContain('docker login');
  });

  it('to use the proxy comes before the right of its own account', async () => {
    const variables = {
      REGSHIFT_UPSTREAM_AUTH: 'basic',
      REGSHIFT_UPSTREAM_USERNAME: 'proxy',
      REGSHIFT_UPSTREAM_PASSWORD: 'hidden',
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: htpasswd,
      REGSHIFT_PAGE: 'status',
    };
    const upstream = scriptedUpstream();
    const app = testApp(variables, upstream.fetch);
    for (const query of ['?image=sample/oci', '?status']) {
      const answer = await see(app, query);
      expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="regshift"']);
      expect((await see(app, query, { Authorization: `Basic ${btoa('alice:secret')}` })).status).toBe(200);
    }
    expect((await app.get('/page/names')).text()).toBe('[]');
  });

  it('lists the suggestions, without a dialog where there is none', async () => {
    const names = await testApp().get('/page/names');
    expect(JSON.parse(names.text())).toContain('sample/index');
    const closed = testApp({}, scriptedUpstream(privateTo(alice)).fetch);
    const refused = await closed.get('/page/names');
    expect([refused.status, refused.text(), refused.header('WWW-Authenticate')]).toEqual([200, '[]', null]);
    expect((await closed.get('/page/names', { Authorization: alice })).text()).toContain('sample/index');
    const served = testApp({ REGSHIFT_REPOSITORIES: 'sample/oci' });
    expect(JSON.parse((await served.get('/page/names')).text())).toEqual(['sample/oci']);
    expect(basicChallenge).not.toBe('');
  });

  it('lists as many suggestions, however many repositories are hidden', async () => {
    const repositories = Array.from({ length: 1_500 }, (_, at) => `app/${String(at).padStart(4, '0')}`);
    const list: Script = (_, { searchParams }) => {
      const [n, last] = [Number(searchParams.get('n')), searchParams.get('last') ?? ''];
      const page = repositories.filter((each) => each > last).slice(0, n);
      const next = `</v2/_catalog?${new URLSearchParams({ n: String(n), last: page.at(-1) ?? '' })}>; rel="next"`;
      return Response.json({ repositories: page }, { headers: { Link: next } });
    };
    const namesWith = async (served: string) => {
      const app = testApp({ REGSHIFT_REPOSITORIES: served }, scriptedUpstream(list).fetch);
      return JSON.parse((await app.get('/page/names')).text());
    };
    for (const served of ['**', 'app/0*,app/1*', 'app/09*,app/1*']) {
      const names = await namesWith(served);
      expect(names).toHaveLength(200);
      expect(names).toEqual(
        repositories.filter((each) => served !== 'app/09*,app/1*' || each >= 'app/09').slice(0, 200),
      );
    }
  });
});

describe('what goes wrong', () => {
  it('is told when the registry is away', async () => {
    const app = testApp({}, network({}).fetch);
    const answer = await see(app, '?image=team/app');
    expect(answer.status).toBe(502);
    expect(text(answer)).toContain('UPSTREAM_UNREACHABLE');
    expect(text(answer)).toContain('What to do');
    expect(text(await see(app, ''))).toContain('The registry cannot be reached (UPSTREAM_UNREACHABLE).');
    expect(
      app.logged.some(({ facts }) => facts?.resource === 'page' && facts.error === 'UPSTREAM_UNREACHABLE'),
    ).toBe(true);
  });

  it.each([
    ['?image=sample/none', 404],
    ['?image=sample/oci:none', 404],
    ['?image=NOT+A+NAME', 400],
    ['?image=sample/oci@sha256:1', 400],
  ])('is told of an image that there is not: %s', async (query, status) => {
    expect((await see(testApp(), query)).status).toBe(status);
  });

  it.each([
    [429, '120', 'Try again in 120 s.'],
    [503, 'Fri, 31 Dec 2027 23:59:59 GMT', 'Try again after Fri, 31 Dec 2027 23:59:59 GMT.'],
  ])('is told with the time to wait, which a browser does not show: %i', async (status, wait, said) => {
    const upstream = scriptedUpstream((_, { pathname }) =>
      pathname.includes('/manifests/') ? specError(status, 'UNKNOWN', { 'Retry-After': wait }) : undefined,
    );
    const answer = await see(testApp({}, upstream.fetch), '?image=sample/oci');
    expect([answer.status, text(answer)]).toEqual([status, expect.stringContaining(said)]);
  });

  it('is told of an image that an index names and the registry has lost, beside what is there', async () => {
    const lost = await digestOf('sample/index', 'amd64');
    const script: Script = (_, { pathname }) =>
      pathname.endsWith(lost) ? specError(404, 'MANIFEST_UNKNOWN') : undefined;
    const answer = await see(testApp({}, scriptedUpstream(script).fetch), '?image=sample/index');
    expect(answer.status).toBe(200);
    expect(text(answer)).toContain('Stored as an OCI index');
    expect(text(answer)).toMatch(/Docker 1\.6–1\.9 nothing Upstream answered 404/);
  });

  it('tells images of one platform apart, and leads to each of them', async () => {
    const built = builtRepository('team/app');
    const windows = ['10.0.17763.6189', '10.0.20348.2700'].map((version, at) => {
      const platform = { os: 'windows', architecture: 'amd64' };
      const image = addImage(built, { platform, files: [`files of ${at}`] });
      return { ...image, platform: { ...platform, 'os.version': version } };
    });
    const root = addIndex(built, [{ ...addImage(built), ...linux('amd64') }, ...windows]);
    const app = testApp({}, scriptedUpstream(built.serve(root)).fetch);
    const answer = (await see(app, '?image=team/app')).text();
    const links = [...answer.matchAll(/<a href="\.\/([^"]*)"[^>]*>(windows[^<]*)</g)];
    expect(links.map(([, , label]) => label)).toEqual([
      'windows/amd64 10.0.17763.6189',
      'windows/amd64 10.0.20348.2700',
    ]);
    for (const [at, [, query = '']] of links.entries()) {
      const image = await see(app, query.replaceAll('&amp;', '&'));
      expect(image.text()).toContain(windows[at]?.digest);
      expect(text(image)).toContain('1 layer of windows/amd64');
    }
    const second = (await see(app, links[1]?.[1]?.replaceAll('&amp;', '&') ?? '')).text();
    expect(second).toContain(`<h1 class="image">team/app@${windows[1]?.digest}</h1>`);
  });

  it('leads to no blob of a build cache as to an image', async () => {
    const built = builtRepository('team/app');
    const layer = built.blob(mediaTypes.ociLayerGzip, new TextEncoder().encode('a layer'));
    const root = addIndex(built, [
      layer,
      built.blob('application/vnd.buildkit.cacheconfig.v0', new Uint8Array()),
    ]);
    const answer = await see(testApp({}, scriptedUpstream(built.serve(root)).fetch), '?image=team/app');
    expect(text(answer)).toContain('0 images, 2 blobs.');
    expect(answer.text()).not.toContain(encodeURIComponent(layer.digest));
  });

  it('is told of an image that is not valid, in place of an index without an image', async () => {
    const built = builtRepository('team/app');
    const broken = addImage(built, { config: { rootfs: { type: 'layers', diff_ids: 'none' } } });
    const root = addIndex(built, [{ ...broken, ...linux('amd64') }]);
    const app = testApp({}, scriptedUpstream(built.serve(root)).fetch);
    const answer = await see(app, '?image=team/app');
    expect(answer.status).toBe(404);
    expect(text(answer)).toContain('No answer for team/app A field has the wrong type at $.rootfs.diff_ids.');
  });

  it('is told of clients whose response takes more requests than one look-up may cause', async () => {
    // On Workers, each question to a far cache counts as a request.
    const ask = async (budget: Budget | undefined) => {
      budget?.spend();
      return undefined;
    };
    const cache: Cache = { get: (_, budget) => ask(budget), set: (_, __, budget) => ask(budget) };
    const tiers = [{ name: 'far', cache, accepts: () => true }];
    const app = testApp({ REGSHIFT_SUBREQUESTS: '20' }, scriptedUpstream().fetch, { tiers });
    const answer = await see(app, '?image=sample/index-arm');
    expect(answer.status).toBe(200);
    expect(text(answer)).toContain('known after the first pull');
  });

  it('is text, whatever it has: names of viewers and registries are no HTML', async () => {
    const evil = '<script>alert(1)</script>';
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: `sha256:${'1'.repeat(64)}`,
      size: 2,
    };
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          ...config,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          platform: { os: evil, architecture: '\u202e"\'' },
        },
      ],
      annotations: { [evil]: evil },
    });
    const script: Script = (request, { pathname }) => {
      if (!pathname.includes('/manifests/latest') && !pathname.includes('/manifests/sha256'))
        return undefined;
      const type = { 'Content-Type': 'application/vnd.oci.image.index.v1+json' };
      if (pathname.includes('/manifests/sha256:1')) return specError(404, 'MANIFEST_UNKNOWN', {}, evil);
      return request.url.startsWith(upstreamUrl) ? new Response(manifest, { headers: type }) : undefined;
    };
    const app = testApp({}, scriptedUpstream(script).fetch);
    const queries = [
      '?image=sample/oci',
      '?image=sample/oci&client=docker-1.13',
      '?image=sample/oci&client=skopeo',
      ...['image', 'error', 'machine', 'client', 'platform'].map(
        (key) => `?${new URLSearchParams({ image: 'sample/oci', [key]: evil })}`,
      ),
    ];
    for (const query of queries) {
      const answer = await see(app, query);
      expect(answer.text()).not.toContain('<script>alert');
      expect(answer.text()).not.toContain('\u202e');
    }
    expect((await see(app, '?image=sample/oci')).text()).toContain('&lt;script&gt;');
  });
});

describe('an image that there is not', () => {
  const links = (answer: Answer) =>
    [...answer.text().matchAll(/<li><a href="\.\/\?image=([^"&]+)"/g)].map(([, name = '']) =>
      decodeURIComponent(name),
    );

  it('leads to the tags of its repository, the most similar first', async () => {
    const answer = await see(testApp(), '?image=sample/oci:1.1');
    expect(answer.status).toBe(404);
    expect(text(answer)).toContain('Tags of sample/oci');
    expect(links(answer).slice(0, 2)).toEqual(['sample/oci:1.0', 'sample/oci:latest']);
  });

  it.each([
    ['sample/ocii', 'sample/oci'],
    ['oci', 'sample/oci'],
    ['other/index-zstd:1.0', 'sample/index-zstd'],
    ['sample/helm', 'sample/helm-chart'],
    ['Sample/OCI:1.0', 'sample/oci:1.0'],
  ])('leads to a repository with a similar name: %s', async (wrong, right) => {
    expect(links(await see(testApp(), `?image=${wrong}`))).toContain(right);
  });

  it.each(['ghcr.io/foo/bar', 'docker pull ghcr.io/sample/oci:1.0', 'localhost/sample/oci'])(
    'is looked for in the own registry of the proxy, also with the name of another one: %s',
    async (image) => {
      const name = image.replace('docker pull ', '');
      const [registry = ''] = name.split('/');
      const answer = await see(testApp(), `?${new URLSearchParams({ image })}`);
      expect(answer.status).toBe(404);
      expect(text(answer)).toContain(
        `This proxy has no route for ${registry}: it asked its own registry for a repository whose name begins with ${registry}/.`,
      );
      expect(text(answer)).not.toContain('the tag or digest does not exist');
      const next = pageLink({ image: name.slice(registry.length + 1) });
      expect(answer.text()).toContain(`<a href="${next}">`);
    },
  );

  it('is no name of another registry below the path of a route, or without a host', async () => {
    const routes = [{ match: { path: 'ghcr.io/' }, upstream: 'http://one.test' }];
    const config = { upstreamAuth: 'anonymous', routes };
    const registries = network({ 'http://one.test': holding({ 'team/app': 'sample/oci' }) });
    const app = testApp({ REGSHIFT_CONFIG: JSON.stringify(config), REGSHIFT_UPSTREAM: '' }, registries.fetch);
    for (const answer of [
      await see(app, '?image=ghcr.io/team/none'),
      await see(testApp(), '?image=team/a.b'),
    ])
      expect([answer.status, text(answer).includes('has no route for')]).toEqual([404, false]);
  });

  it('leads to nothing where no name is similar', async () => {
    const answer = await see(testApp(), '?image=quite/another');
    expect([answer.status, links(answer).filter((each) => each.includes('sample'))]).toEqual([404, []]);
  });

  it("leads to what the viewer's own right and the settings allow", async () => {
    const script: Script = (request, { pathname }) => {
      if (pathname.includes('/manifests/')) return specError(404, 'MANIFEST_UNKNOWN');
      const mayList = request.headers.get('authorization') === alice;
      return mayList || pathname === '/v2/' ? undefined : specError(403, 'DENIED');
    };
    const app = testApp({}, scriptedUpstream(script).fetch);
    const hers = await see(app, '?image=sample/oci:none', { Authorization: alice });
    expect(links(hers)).toContain('sample/oci:1.0');
    const his = await see(app, '?image=sample/oci:none', { Authorization: bob });
    expect([his.status, links(his)]).toEqual([404, []]);
    const served = testApp({ REGSHIFT_REPOSITORIES: 'sample/index' });
    expect(links(await see(served, '?image=sample/ocii'))).toEqual([]);
    expect(links(await see(served, '?image=sample/indexx'))).toEqual(['sample/index']);
  });

  it('shows a few of many tags, and reads no more of them than that needs', async () => {
    const tags = Array.from({ length: 5_000 }, (_, at) => `v${at}`);
    const script: Script = (_, url) => {
      if (!url.pathname.endsWith('/tags/list')) return undefined;
      const at = Number(url.searchParams.get('at') ?? 0);
      const next = { Link: `</v2/sample/oci/tags/list?at=${at + 100}>; rel="next"` };
      return Response.json({ name: 'sample/oci', tags: tags.slice(at, at + 100) }, { headers: next });
    };
    const upstream = scriptedUpstream(script);
    const answer = await see(testApp({}, upstream.fetch), '?image=sample/oci:v17x');
    expect(links(answer)).toHaveLength(24);
    expect(links(answer)[0]).toBe('sample/oci:v17');
    expect(text(answer)).toContain('the 24 most similar of the first 200');
    expect(upstream.asked.filter((each) => each.includes('/tags/list'))).toHaveLength(2);
  });

  it('stays a 404 where the registry has no lists', async () => {
    const script: Script = (_, { pathname }) =>
      /_catalog|tags\/list/.test(pathname) ? specError(405, 'UNSUPPORTED') : undefined;
    const app = testApp({}, scriptedUpstream(script).fetch);
    expect((await see(app, '?image=sample/oci:none')).status).toBe(404);
    expect((await see(app, '?image=sample/none')).status).toBe(404);
  });
});

/** The lines that a document has for a shell or a file. */
const linesOf = (answer: Answer) =>
  [...answer.text().matchAll(/<pre[^>]*>([\s\S]*?)<\/pre>/g)].map(([, lines = '']) => lines).join('\n');

describe('errors and machines', () => {
  it.each([
    ['missing signature key', 'the image is stored as OCI'],
    ['Error response from daemon: manifest for app not found: manifest unknown: x', 'the tag does not exist'],
    ['failed to register layer: archive/tar: invalid tar header', 'the layer is compressed with zstd'],
    ['UPSTREAM_TIMEOUT', 'the registry is too slow'],
    ['x509: certificate signed by unknown authority', 'the machine does not know the authority'],
  ])('finds the entry for: %s', async (error, why) => {
    expect(text(await see(testApp(), `?${new URLSearchParams({ error })}`))).toContain(why);
  });

  it('links to the instructions in place of the guides, which a proxy does not have', async () => {
    const ask = async (error: string) => (await see(testApp(), `?${new URLSearchParams({ error })}`)).text();
    const docker = await ask('http: server gave HTTP response to HTTPS client');
    expect(docker).toContain('(<a href="./#machine">guides</a>)');
    const podman = await ask('pinging x: Get x: http: server gave HTTP response to HTTPS client');
    expect(podman).toContain('(<a href="./?machine=podman">guide</a>)');
    expect(podman.indexOf('insecure = true')).toBeLessThan(podman.indexOf('insecure-registries'));
  });

  it.each(machines.map(({ id, undo }) => [id, undo] as const))(
    'says how to undo it, and leads to no file that the viewer does not have: %s',
    async (id, undo) => {
      const shown = text(await see(testApp(), `?machine=${id}`));
      expect(shown).toContain(undo);
      expect(shown).not.toMatch(/deploy\/clients|sources/);
    },
  );

  it('finds nothing for other words, and says where else to look', async () => {
    const shown = text(await see(testApp(), '?error=zzzzzzzzzzzz'));
    expect(shown).toContain('No message that regshift knows is in this text');
  });

  it('fills the address of the proxy and the image into the lines', async () => {
    const answer = await see(testApp(), '?machine=centos-7&image=sample/oci:1.0');
    expect(answer.text()).toContain('&quot;insecure-registries&quot;: [&quot;regshift.test&quot;]');
    expect(answer.text()).toContain('docker pull regshift.test/sample/oci:1.0');
    const own = testApp({ REGSHIFT_PUBLIC_URL: 'https://proxy.test:8443' });
    const secure = (await see(own, '?machine=centos-7')).text();
    expect(secure).toContain('/etc/docker/certs.d/proxy.test:8443/ca.crt');
    expect(secure).not.toContain('insecure-registries');
  });

  it.each(machines.map(({ id }) => id))(
    'never has the name of the own machine in the lines, and asks for another one: %s',
    async (machine) => {
      for (const host of ['127.0.0.1:18080', 'localhost:18080', '[::1]:18080']) {
        const page = `http://${host}/?machine=${machine}&image=team/app:2`;
        const asked = await testApp().get(page, { Accept: html });
        expect(text(asked)).toContain(`Another machine does not reach this proxy at ${host}`);
        expect(linesOf(asked)).not.toMatch(/127\.0\.0|localhost|::1/);
        expect(linesOf(asked)).toContain('proxy.example.com:18080');
        expect(linesOf(asked)).not.toMatch(/:8080|18080:/);
        const typed = await testApp().get(`${page}&host=buildhost`, { Accept: html });
        expect(linesOf(typed)).toContain('buildhost:18080');
        expect(linesOf(typed)).not.toMatch(/127\.0\.0|localhost|::1|example\.com/);
        expect(typed.text()).toContain('value="buildhost"');
        const next = /href="\.\/(\?machine=podman[^"]*)"/.exec(typed.text())?.[1] ?? '';
        expect(next).toContain('host=buildhost');
      }
    },
  );

  describe('a proxy that listens for its own machine alone', () => {
    const machine = machineRoles({ variables: {}, readFile: async () => '', fetch });
    const note = 'Only this machine reaches it. For other machines, start it with HOST=0.0.0.0';
    const shown = async (HOST: string, page: string, platform = {}) =>
      text(await testApp({ HOST }, undefined, { machine, ...platform }).get(page, { Accept: html }));

    it.each(['127.0.0.1', 'localhost', '::1', '127.0.0.9'])(
      'says so beside the lines: HOST=%s',
      async (host) => {
        expect(await shown(host, 'http://127.0.0.1:8080/')).toContain(`${note}, and set them up`);
        expect(await shown(host, 'http://127.0.0.1:8080/?machine=centos-7')).toContain(`${note}.`);
        const typed = await shown(host, 'http://localhost:8080/?machine=centos-7&host=buildhost');
        expect(typed).toContain(`${note}.`);
      },
    );

    it('says nothing where others reach it: by another HOST, a server in front, or as a Worker', async () => {
      for (const path of ['', '?machine=centos-7']) {
        expect(await shown('0.0.0.0', `http://127.0.0.1:8080/${path}`)).not.toContain(note);
        expect(await shown('127.0.0.1', `http://proxy.test/${path}`)).not.toContain(note);
        const worker = { machine: undefined };
        expect(await shown('127.0.0.1', `http://127.0.0.1:8080/${path}`, worker)).not.toContain(note);
      }
    });
  });

  it('has the lines for the machine of the proxy itself if the viewer wants them', async () => {
    const page = 'http://127.0.0.1:8080/?machine=centos-7';
    const link = /href="\.\/(\?machine=centos-7&amp;host=[^"]*)"/.exec(
      (await testApp().get(page, { Accept: html })).text(),
    )?.[1];
    const own = await testApp().get(`http://127.0.0.1:8080/${link?.replaceAll('&amp;', '&')}`, {
      Accept: html,
    });
    expect(linesOf(own)).toContain('docker pull 127.0.0.1:8080/team/app:1.0');
  });

  it('takes https: from the typed host, and no text that is no host', async () => {
    const secure = await see(testApp(), '?machine=centos-7&host=https://proxy.test');
    expect(linesOf(secure)).toContain('/etc/docker/certs.d/proxy.test/ca.crt');
    const wrong = await see(
      testApp(),
      `?${new URLSearchParams({ machine: 'centos-7', host: 'x; rm -rf /' })}`,
    );
    expect(text(wrong)).toContain('x; rm -rf / is no name of a host');
    expect(linesOf(wrong)).not.toContain('rm -rf');
  });

  it('tell how the line gets into a file that is there, and link to the machines that they name', async () => {
    const centos = await see(testApp(), '?machine=centos-7');
    expect(text(centos)).toContain('add the line inside its braces');
    const openshift = await see(testApp(), '?machine=openshift-3&host=proxy.test');
    expect(openshift.text()).toContain('<a href="./?machine=centos-7&amp;host=proxy.test">CentOS 7</a>');
  });

  it.each([
    ['?machine=nope', 'machine “nope”', 'OpenShift 3'],
    ['?machine=', 'machine “”', 'OpenShift 3'],
    ['?image=sample/oci&client=nope', 'client “nope”', 'containerd ≥ 2'],
    ['?image=sample/oci&platform=nope', 'platform “nope”', 'linux/arm64'],
  ])('say of a value that they do not know which ones they know: %s', async (query, unknown, known) => {
    const answer = await see(testApp(), query);
    expect(answer.status).toBe(404);
    expect(text(answer)).toContain(`does not know the ${unknown}`);
    expect(text(answer)).toContain(known);
  });

  it('takes no characters of a shell from a Host', async () => {
    const answer = await testApp().get('http://$(id).test/?machine=centos-7', { Accept: html });
    expect(answer.text()).not.toContain('$(id)');
    const home = await testApp().get('http://a$(id).evil.example/', { Accept: html });
    expect(home.text()).not.toContain('$(id)');
    expect(linesOf(home)).toContain('docker pull proxy.example.com/sample/');
  });

  it.each([
    ['http://buildhost/', 'buildhost:80/'],
    ['http://127.0.0.1:8080/', '127.0.0.1:8080/'],
    ['http://[::1]:8080/', '[::1]:8080/'],
    ['http://localhost/', 'localhost/'],
  ])('names no user of Docker Hub in the line of the first screen: %s', async (page, named) => {
    const home = await testApp().get(page, { Accept: html });
    expect(linesOf(home)).toContain(`docker pull ${named}sample/`);
  });
});

describe('the status', () => {
  it('is there with REGSHIFT_PAGE=status alone', async () => {
    expect(text(await see(testApp({ REGSHIFT_PAGE: 'status' }), '?status'))).toContain('Registries');
    expect(text(await see(testApp(), '?status'))).toContain('One registry, every client');
    expect((await see(testApp(), '')).text()).not.toContain('?status');
  });
});
