/** Takes the pictures of the page in docs/images with the sample registry: `npm run page:images`. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { knownClients } from '../../src/negotiation/known-clients.ts';
import { type BrowserOptions, startChromium } from './chromium.ts';
import { root } from './house/sources.ts';
import { startNodeProcess } from './node-process.ts';
import { rawRequest } from './raw-http.ts';

interface Picture {
  readonly name: string;
  readonly query: string;
  readonly options: BrowserOptions;
  /** The picture ends at the height of the window; otherwise at the end of the page. */
  readonly cut?: true;
}

const phone = { size: [390, 844], scale: 2 } as const;

const pictures: readonly Picture[] = [
  { name: 'page-start', query: '', options: { size: [1180, 900] } },
  { name: 'page-image', query: '?image=sample/index:1.0', options: { size: [1180, 900] } },
  {
    name: 'page-compare',
    query: '?image=sample/oci&client=docker-1.13',
    options: { dark: true, size: [1560, 860] },
  },
  { name: 'page-machine', query: '?machine=centos-7', options: { size: [1180, 900] } },
  {
    name: 'page-error',
    query: '?error=archive/tar:+invalid+tar+header',
    options: { dark: true, size: [1180, 700] },
  },
  { name: 'page-status', query: '?status', options: { size: [1180, 900] } },
  { name: 'page-phone', query: '?image=sample/oci-zstd:1.0', options: phone, cut: true },
];

/** Pulls of all kinds of clients, so that the status has numbers. The first clients pull more often. */
async function pullAsEveryone(port: number): Promise<void> {
  const samples = ['oci', 'index', 'schema1', 'schema2', 'generic', 'list'];
  for (const [at, { userAgent, accept }] of knownClients.entries()) {
    for (const sample of samples.slice(at % samples.length)) {
      // `fetch` would add an Accept of its own.
      const headers = [
        ['User-Agent', userAgent] as const,
        ...accept.map((line) => ['Accept', line] as const),
      ];
      await rawRequest({ port, method: 'GET', path: `/v2/sample/${sample}/manifests/latest`, headers });
    }
  }
}

const folder = process.argv[2] ?? join(root, 'docs/images');
mkdirSync(folder, { recursive: true });
const proxy = await startNodeProcess({ REGSHIFT_PAGE: 'status', PORT: '18080' });
try {
  await pullAsEveryone(proxy.port);
  for (const { name, query, options, cut } of pictures) {
    const browser = await startChromium(options);
    try {
      const page = await browser.context.newPage();
      await page.goto(`http://127.0.0.1:${proxy.port}/${query}`);
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: cut !== true, caret: 'hide' });
    } finally {
      await browser.stop();
    }
  }
} finally {
  await proxy.stop();
}
