import { createServer } from 'node:http';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownClients } from '../../src/negotiation/known-clients.ts';
import { startBareWorkerd } from '../support/bare-workerd.ts';
import { type Browser, type BrowserOptions, startChromium } from '../support/chromium.ts';
import { freePort } from '../support/daemon.ts';
import { alice, startDockerRegistry } from '../support/docker-registry.ts';
import { listen } from '../support/listen.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { requirePeers } from '../support/programs.ts';
import { dockerHub, pullsSpent } from '../support/upstreams/docker-hub.ts';
import type { WireServer } from '../support/wire-server.ts';

/** The documents of the page in the sample registry. */
const documents = {
  start: '/',
  image: '/?image=sample/index',
  'an image that needs layers': '/?image=sample/oci-zstd',
  artifact: '/?image=sample/helm-chart',
  comparison: '/?image=sample/oci&client=docker-1.13',
  machine: '/?machine=centos-7',
  error: '/?error=missing+signature+key',
  failure: '/?image=sample/none',
  'a missing tag': '/?image=sample/oci:none',
  'an unknown error': '/?error=quite+unknown',
  'a typed host': '/?machine=openshift-3&host=https://proxy.test',
  'an unknown machine': '/?machine=nope',
  status: '/?status',
};

const narrow: readonly [number, number] = [360, 740];

const runtimes = [
  ['Node', startNodeProcess],
  ['a Worker', startBareWorkerd],
] as const;

describe.skipIf(requirePeers('chromium'))('the page in a real browser', () => {
  describe.each(runtimes)('from %s', (_, start) => {
    let proxy: WireServer;
    let browser: Browser;
    let page: Page;
    beforeAll(async () => {
      proxy = await start({ REGSHIFT_UPSTREAM: 'sample', REGSHIFT_PAGE: 'status' });
      browser = await startChromium();
      page = await browser.context.newPage();
    });
    afterAll(async () => {
      await browser?.stop();
      await proxy?.stop();
    });
    const address = (path: string) => `http://127.0.0.1:${proxy.port}${path}`;

    it('shows what each client gets, from the field to the table', async () => {
      await page.goto(address('/'));
      await page.getByLabel('Image').fill('sample/index:1.0');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'What each client gets' }).waitFor();
      expect(await page.getByRole('row').count()).toBe(knownClients.length + 1);
      const row = page.getByRole('row', { name: /^Docker 1\.10–18\.03/ });
      expect(await row.textContent()).toContain('Docker manifest list');
      await row.getByRole('link').click();
      await page.getByRole('heading', { name: /^What Docker 1\.10–18\.03 gets/ }).waitFor();
      expect(await page.locator('ins').first().textContent()).toContain('docker.distribution.manifest.list');
    });

    it('leads from the address to a line for CentOS 7 in three clicks', async () => {
      await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.goto(address('/'));
      await page.getByRole('link', { name: /CentOS 7/ }).click();
      await page.getByLabel('Name or address of the proxy').fill('buildhost');
      await page.getByRole('button', { name: 'Fill it in' }).click();
      const last = page.getByRole('listitem').filter({ hasText: 'docker pull' });
      await last.getByRole('button', { name: /^Copy/ }).click();
      const copied = await page.evaluate('navigator.clipboard.readText()');
      expect(copied).toBe(`docker pull buildhost:${proxy.port}/team/app:1.0`);
      expect(await page.getByRole('status').textContent()).toContain('Copied');
      await page.goBack();
      await page.goBack();
      await page.getByRole('heading', { name: 'One registry, every client' }).waitFor();
    });

    it('leads to that line in two clicks where the browser has a name of the network', async () => {
      const named = await startChromium({ host: 'proxy.test' });
      try {
        const other = await named.context.newPage();
        await other.goto(`http://proxy.test:${proxy.port}/`);
        await other.getByRole('link', { name: /CentOS 7/ }).click();
        const lines = await other.locator('.steps pre').allTextContents();
        expect(lines).toContain(`docker pull proxy.test:${proxy.port}/team/app:1.0`);
        // A name of the network has no clipboard over plain HTTP: the older command copies.
        await other.locator('.steps li').last().getByRole('button', { name: /^Copy/ }).click();
        expect(await other.getByRole('status').textContent()).toContain('Copied');
      } finally {
        await named.stop();
      }
    });

    it('leads from a missing tag to one that is there, and from a misspelt repository to the right one', async () => {
      await page.goto(address('/?image=sample/oci:1.O'));
      await page.getByRole('link', { name: '1.0', exact: true }).click();
      await page.getByRole('heading', { name: 'What each client gets' }).waitFor();
      await page.goto(address('/?image=sample/indx'));
      await page.getByRole('link', { name: 'sample/index', exact: true }).click();
      await page.getByRole('heading', { name: 'What each client gets' }).waitFor();
    });

    it('finds the entry of an error', async () => {
      await page.goto(address('/'));
      await page.getByLabel('The text of the error').fill('Error: archive/tar: invalid tar header');
      await page.getByRole('button', { name: 'Find it' }).click();
      await page.getByText('the layer is compressed with zstd').first().waitFor();
      await page.getByLabel('The text of the error').fill('nothing that regshift would know of');
      await page.getByRole('button', { name: 'Find it' }).click();
      await page.getByRole('link', { name: 'set up the machine' }).click();
      await page.getByRole('heading', { name: 'Set up my machine' }).waitFor();
    });

    it('finds the error at the end of a long output, in any script, and keeps its lines', async () => {
      await page.goto(address('/'));
      const lines = `${'загрузка слоя 错误\n'.repeat(900)}Error response from daemon: missing signature key`;
      await page.getByLabel('The text of the error').focus();
      await page.keyboard.insertText(lines);
      await page.getByRole('button', { name: 'Find it' }).click();
      await page.getByRole('heading', { name: 'missing signature key' }).waitFor();
      const shown = await page.getByLabel('The text of the error').inputValue();
      expect(shown.length).toBeGreaterThan(500);
      expect(lines.endsWith(shown)).toBe(true);
    });

    it('suggests repositories once a user types', async () => {
      await page.goto(address('/'));
      expect(await page.locator('datalist option').count()).toBe(0);
      await page.getByLabel('Image').pressSequentially('sam');
      await expect.poll(() => page.locator('datalist option').count()).toBeGreaterThan(10);
    });

    it('asks no other site, and breaks no rule of its own policy', async () => {
      const asked: string[] = [];
      const complaints: string[] = [];
      const watched = await browser.context.newPage();
      watched.on('request', (request) => asked.push(new URL(request.url()).origin));
      watched.on('console', (message) => complaints.push(message.text()));
      watched.on('pageerror', (error) => complaints.push(error.message));
      for (const path of Object.values(documents)) await watched.goto(address(path));
      expect(new Set(asked)).toEqual(new Set([address('').replace(/\/$/, '')]));
      // Chromium reports the status of the document that is meant to fail.
      expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
      expect(await browser.context.cookies()).toEqual([]);
      await watched.close();
    });
  });

  describe.each(runtimes)('from %s, in front of', (_, start) => {
    /** Opens documents of a proxy in front of an upstream. */
    async function inFrontOf<Found>(
      upstream: string,
      look: (page: Page, address: string) => Promise<Found>,
      login?: BrowserOptions['login'],
    ): Promise<Found> {
      const proxy = await start({ REGSHIFT_UPSTREAM: upstream });
      const browser = await startChromium(login ? { login } : {});
      try {
        return await look(await browser.context.newPage(), `http://127.0.0.1:${proxy.port}`);
      } finally {
        await browser.stop();
        await proxy.stop();
      }
    }

    it('a dead registry, it says so', async () => {
      await inFrontOf(`http://127.0.0.1:${await freePort()}`, async (page, address) => {
        const answer = await page.goto(`${address}/?image=team/app`);
        expect(answer?.status()).toBe(502);
        expect(await page.textContent('main')).toContain('UPSTREAM_UNREACHABLE');
        await page.goto(address);
        expect(await page.textContent('main')).toContain('The registry cannot be reached');
      });
    });

    it('a hostile registry, its names are text', async () => {
      const evil = '<img src=x onerror=document.title="run"><script>document.title="run"</script>';
      const type = 'application/vnd.oci.image.index.v1+json';
      const entry = { mediaType: type, digest: `sha256:${'1'.repeat(64)}`, size: 2 };
      const index = JSON.stringify({
        schemaVersion: 2,
        mediaType: type,
        manifests: [{ ...entry, platform: { os: evil, architecture: evil + 'x'.repeat(300) } }],
        annotations: { [evil]: evil },
      });
      const server = createServer(({ url = '' }, response) => {
        const isIndex = url.includes('/manifests/') && !url.includes(entry.digest);
        const body = isIndex ? index : JSON.stringify({ errors: [{ code: 'UNKNOWN', message: evil }] });
        const status = isIndex || url === '/v2/' ? 200 : 404;
        response.writeHead(status, { 'Content-Type': isIndex ? type : 'application/json' }).end(body);
      });
      const registry = await listen(server);
      try {
        await inFrontOf(registry.url, async (page, address) => {
          for (const query of [
            '',
            '&client=skopeo',
            '&client=docker-1.13',
            `&error=${encodeURIComponent(evil)}`,
          ]) {
            await page.goto(`${address}/?image=team/app${query}`);
            expect(await page.textContent('body')).toContain('<script>');
            expect(await page.locator('img, main script').count()).toBe(0);
            expect(await page.title()).not.toBe('run');
            expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
          }
        });
      } finally {
        await registry.stop();
      }
    });
  });

  describe.skipIf(requirePeers('docker-registry'))('in front of Docker Hub', () => {
    it('asks before it spends pulls, and spends the index and one image', async () => {
      const real = await startDockerRegistry({ samples: ['sample/index'] });
      const login = { username: 'alice', password: 'secret' };
      const hub = await dockerHub({ login }).start(real.url);
      const proxy = await startNodeProcess({ REGSHIFT_UPSTREAM: hub.url });
      const browser = await startChromium({ login });
      try {
        const page = await browser.context.newPage();
        await page.goto(`http://127.0.0.1:${proxy.port}/?image=sample/index`);
        expect(pullsSpent(hub)).toEqual([]);
        await page.getByRole('link', { name: 'Show it for at most 2 counted pulls' }).click();
        await page.getByRole('heading', { name: 'What each client gets' }).waitFor();
        expect(pullsSpent(hub)).toHaveLength(2);
        await page.getByRole('link', { name: 'linux/arm64' }).click();
        await page.getByRole('link', { name: 'Show it for 1 counted pull' }).click();
        await page.getByRole('heading', { name: /layers of linux\/arm64/ }).waitFor();
        expect(pullsSpent(hub)).toHaveLength(3);
      } finally {
        await browser.stop();
        await proxy.stop();
        await hub.stop();
        await real.stop();
      }
    });
  });

  describe('for everyone', () => {
    let proxy: WireServer;
    beforeAll(async () => {
      proxy = await startNodeProcess({ REGSHIFT_PAGE: 'status' });
    });
    afterAll(() => proxy?.stop());

    async function withPage<Found>(
      options: BrowserOptions,
      look: (page: Page) => Promise<Found>,
    ): Promise<Found> {
      const browser = await startChromium(options);
      try {
        return await look(await browser.context.newPage());
      } finally {
        await browser.stop();
      }
    }

    it.each([
      ['light', {}],
      ['dark', { dark: true }],
      ['narrow', { size: narrow }],
    ] as const)('axe finds nothing: %s', async (_, options) => {
      await withPage(options, async (page) => {
        for (const [name, path] of Object.entries(documents)) {
          await page.goto(`http://127.0.0.1:${proxy.port}${path}`);
          await page.evaluate(axe.source);
          const { violations } = await page.evaluate(() =>
            (globalThis as unknown as { axe: typeof axe }).axe.run({
              runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'],
            }),
          );
          const found = violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
          );
          expect(found, name).toEqual([]);
        }
      });
    });

    it('fits a narrow screen', async () => {
      await withPage({ size: narrow }, async (page) => {
        for (const [name, path] of Object.entries(documents)) {
          await page.goto(`http://127.0.0.1:${proxy.port}${path}`);
          const width = await page.evaluate('document.documentElement.scrollWidth');
          expect(width, name).toBeLessThanOrEqual(narrow[0]);
        }
      });
    });

    it.each([
      ['wide', {}],
      ['narrow', { size: narrow }],
    ] as const)(
      'selects a whole digest by one click, also where its beginning stands: %s',
      async (_, options) => {
        await withPage(options, async (page) => {
          for (const path of [documents.image, documents.comparison]) {
            await page.goto(`http://127.0.0.1:${proxy.port}${path}`);
            for (const digest of await page.locator('.digest').all()) {
              await digest.click();
              expect(await page.evaluate('getSelection().toString()')).toMatch(/^sha256:[\da-f]{64}$/);
            }
          }
        });
      },
    );

    it('prints whole manifests and digests, and the state of each client', async () => {
      await withPage({}, async (page) => {
        await page.emulateMedia({ media: 'print' });
        await page.goto(`http://127.0.0.1:${proxy.port}/?image=sample/index&client=docker-1.13`);
        const heights =
          '[...document.querySelectorAll("pre")].map((each) => each.scrollHeight - each.clientHeight)';
        expect(await page.evaluate(heights)).toEqual([0, 0]);
        await page.goto(`http://127.0.0.1:${proxy.port}${documents.image}`);
        const widths =
          '[...document.querySelectorAll(".digest")].map((each) => each.scrollWidth - each.clientWidth)';
        expect(new Set((await page.evaluate(widths)) as number[])).toEqual(new Set([0]));
        const dots =
          '[...document.querySelectorAll(".form")].map((each) => getComputedStyle(each, "::before").borderTopWidth)';
        expect((await page.evaluate(dots)) as string[]).not.toContain('0px');
      });
    });

    it('fits 320 pixels, as at a zoom of 400 %, with wide spaces in the text (WCAG 2.2, 1.4.10 and 1.4.12)', async () => {
      const spaces = `{
        const style = new CSSStyleSheet();
        style.replaceSync('* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important }');
        document.adoptedStyleSheets = [style];
      }`;
      await withPage({ size: [320, 256] }, async (page) => {
        for (const [name, path] of Object.entries(documents)) {
          await page.goto(`http://127.0.0.1:${proxy.port}${path}`);
          await page.evaluate(spaces);
          expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBe(320);
        }
      });
    });

    it('fits beside the bar of a window that scrolls', async () => {
      await withPage({ size: [305, 640] }, async (page) => {
        await page.goto(`http://127.0.0.1:${proxy.port}/?image=sample/oci-zstd`);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(305);
      });
    });

    it('works without script', async () => {
      await withPage({ javaScript: false }, async (page) => {
        await page.goto(`http://127.0.0.1:${proxy.port}/`);
        await page.getByLabel('Image').fill('sample/oci');
        await page.getByRole('button', { name: 'Show' }).click();
        expect(await page.getByRole('row').count()).toBe(knownClients.length + 1);
        await page.goto(`http://127.0.0.1:${proxy.port}/?machine=centos-7`);
        expect(await page.getByRole('button', { name: /^Copy/ }).count()).toBe(0);
        await page.getByLabel('Name or address of the proxy').fill('buildhost');
        await page.getByRole('button', { name: 'Fill it in' }).click();
        expect(await page.locator('.steps pre').allTextContents()).toContain(
          `docker pull buildhost:${proxy.port}/team/app:1.0`,
        );
      });
    });

    it('works by keyboard: the link to the content, the field, and links in their order', async () => {
      await withPage({}, async (page) => {
        await page.goto(`http://127.0.0.1:${proxy.port}/?image=sample/oci`);
        await page.keyboard.press('Tab');
        expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
        await page.keyboard.press('Enter');
        await page.keyboard.press('Tab');
        const link = await page.evaluate('document.activeElement.textContent');
        expect(link).toBe('schema 1 manifest');
      });
    });
  });

  describe.skipIf(requirePeers('docker-registry'))('in front of a registry with a login', () => {
    it("asks by the browser's dialog, and shows nothing without it", async () => {
      const registry = await startDockerRegistry({ htpasswd: alice.htpasswd, samples: ['sample/oci'] });
      const proxy = await startNodeProcess({ REGSHIFT_UPSTREAM: registry.url });
      const [username = '', password = ''] = alice.login.split(':');
      const open = async (options: BrowserOptions) => {
        const browser = await startChromium(options);
        try {
          const page = await browser.context.newPage();
          const response = await page.goto(`http://127.0.0.1:${proxy.port}/?image=sample/oci`);
          return { status: response?.status(), text: (await page.textContent('main')) ?? '' };
        } finally {
          await browser.stop();
        }
      };
      try {
        const welcome = await open({ login: { username, password } });
        expect([welcome.status, welcome.text]).toEqual([
          200,
          expect.stringContaining('What each client gets'),
        ]);
        const refused = await open({ login: { username, password: 'wrong' } });
        expect(refused.status).toBe(401);
        expect(refused.text).not.toContain('sha256:');
      } finally {
        await proxy.stop();
        await registry.stop();
      }
    });
  });
});
