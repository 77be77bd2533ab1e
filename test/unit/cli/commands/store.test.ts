import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { digestHex, digestOf } from '../../../../converters/digest.ts';
import { systemClock, systemWallClock } from '../../../../src/clock.ts';
import { noMetrics } from '../../../../src/observability/metrics.ts';
import { createFolderStore } from '../../../../src/runtime/node/store/folder-store.ts';
import { storeBlob } from '../../../support/blob-stores.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { layerContent } from '../../../support/layer-content.ts';
import { listen } from '../../../support/listen.ts';

/** A folder with these layers. */
async function folderWith(...sizes: readonly number[]) {
  const path = temporaryFolder();
  const options = {
    path,
    bytes: 2 ** 40,
    clock: systemClock,
    wallClock: systemWallClock,
    log: () => {},
    metrics: noMetrics,
  };
  const store = createFolderStore(options);
  const blobs = [];
  for (const size of sizes) blobs.push(await storeBlob(store, layerContent(size)));
  const env = { REGSHIFT_STORE: `file://${path}`, REGSHIFT_STORE_BYTES: '5000' };
  return { path, store, blobs, env };
}

/** Sets the year of the last use of a layer. */
function useAt(path: string, bytes: Uint8Array, year: number): void {
  const hex = digestHex(digestOf(bytes));
  const date = new Date(Date.UTC(year, 1));
  utimesSync(join(path, 'blobs', 'sha256', hex.slice(0, 2), hex), date, date);
}

describe('regshift store', () => {
  it('counts the layers', async () => {
    const { env } = await folderWith(100, 200);
    const { code, out } = await regshift(['store', 'info'], { env });
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toBe('2 layers with 300 B; the store may have 5.0 kB');
    const json = (await regshift(['store', 'info', '--json'], { env })).json<Record<string, unknown>>();
    expect(json).toMatchObject({ store: 'file', layers: 2, bytes: 300, limit: 5000 });
  });

  it('removes layers with other bytes than those of their digest, and says which', async () => {
    const { env, path, store, blobs } = await folderWith(100, 200);
    const wrong = blobs[1]?.digest ?? digestOf(new Uint8Array());
    const hex = digestHex(wrong);
    writeFileSync(join(path, 'blobs', 'sha256', hex.slice(0, 2), hex), new Uint8Array(200));
    const found = await regshift(['store', 'verify'], { env });
    expect(found.code).toBe(1);
    expect(found.out).toBe(
      `removed ${wrong}: its bytes had ${digestOf(new Uint8Array(200))}\n2 layers read, 1 damaged\n`,
    );
    expect(await store.head({ digest: wrong })).toBeUndefined();
    const again = await regshift(['store', 'verify', '--json'], { env });
    expect([again.code, again.json()]).toEqual([0, { layers: 1, damaged: [] }]);
  });

  it('removes layers down to a number of bytes', async () => {
    const { env } = await folderWith(100, 200, 300);
    const { code, out } = await regshift(['store', 'prune', '--bytes', '0'], { env });
    expect([code, out]).toEqual([0, '3 layers with 600 B removed\n']);
  });

  it('prints a template', async () => {
    const { env } = await folderWith(100, 200);
    const print = (command: string, template: string) =>
      regshift(['store', command, '--format', template], { env });
    expect((await print('info', '{{.layers}} of {{.store}}')).out).toBe('2 of file\n');
    expect((await print('verify', '{{len .damaged}}')).out).toBe('0\n');
    expect((await print('prune', '{{.blobs}}')).out).toBe('0\n');
  });

  describe('on a bucket', () => {
    const list = (content: string) =>
      `<ListBucketResult><IsTruncated>false</IsTruncated>${content}</ListBucketResult>`;

    /** The settings for a server that answers each request for the list with this text. */
    async function bucket(text: string, status: number, onObject: RequestListener = () => undefined) {
      const server = createServer((request, response) => {
        if (request.url?.includes('list-type') !== true) return void onObject(request, response);
        response.writeHead(status, { 'content-type': 'application/xml' }).end(text);
      });
      const { url, stop } = await listen(server);
      onTestFinished(stop);
      return {
        REGSHIFT_STORE: `s3://layers/?region=us-east-1&endpoint=${url}`,
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'hunter2',
      };
    }

    it.each([
      [
        403,
        '<Error><Code>AccessDenied</Code></Error>',
        /answered 403 AccessDenied\. Allow s3:GetObject, .*\.$/,
      ],
      [
        404,
        '<Error><Code>NoSuchBucket</Code></Error>',
        /answered 404 NoSuchBucket\. Create the bucket, .*\.$/,
      ],
      [200, '<html>Please log in</html>', /^regshift: The bucket sent no list of objects\. Check .*\.$/],
    ])('says what a bucket answers in place of a list, in one line: %i %s', async (status, text, message) => {
      const env = await bucket(text, status);
      for (const command of ['info', 'verify']) {
        const { code, out, err } = await regshift(['store', command], { env });
        expect([code, out]).toEqual([1, '']);
        expect(err.trimEnd()).toMatch(message);
        expect(err.split('\n')).toHaveLength(2);
      }
    });

    it('counts no bytes of REGSHIFT_STORE_BYTES, which is for folders: prune alone removes no layer', async () => {
      const key = `blobs/sha256/${digestHex(digestOf(layerContent(1000)))}`;
      const content = `<Contents><Key>${key}</Key><Size>1000</Size></Contents>`;
      const asked: (string | undefined)[] = [];
      const env = await bucket(list(content), 200, ({ method }, response) => {
        asked.push(method);
        if (method === 'DELETE') return void response.writeHead(204).end();
        response.setHeader('content-type', 'application/xml');
        response.end('<ListMultipartUploadsResult></ListMultipartUploadsResult>');
      });
      const own = { ...env, REGSHIFT_STORE_BYTES: '500' };
      expect((await regshift(['store', 'info'], { env: own })).out).toBe('1 layer with 1.0 kB\n');
      expect((await regshift(['store', 'prune'], { env: own })).out).toBe('0 layers with 0 B removed\n');
      expect(asked).not.toContain('DELETE');
      const { out } = await regshift(['store', 'prune', '--bytes', '500'], { env: own });
      expect([out, asked.at(-1)]).toEqual(['1 layer with 1.0 kB removed\n', 'DELETE']);
    });

    it('removes no layer whose connection breaks', async () => {
      const digest = digestOf(layerContent(1000));
      const key = `blobs/sha256/${digestHex(digest)}`;
      const asked: (string | undefined)[] = [];
      const content = `<Contents><Key>${key}</Key><Size>1000</Size></Contents>`;
      const env = await bucket(list(content), 200, ({ method, headers }, response) => {
        asked.push(method);
        // The rest is an error that does not pass, so that nothing is asked again.
        if (headers.range) return void response.writeHead(403).end();
        response.writeHead(200, { 'content-length': 1000 }).write(layerContent(10));
        setImmediate(() => response.destroy());
      });
      const { code, out, err } = await regshift(['store', 'verify'], { env });
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/regshift: The bucket broke off the stored layer sha256:\w+ after 10 bytes\. /);
      expect(asked).not.toContain('DELETE');
    });
  });

  it('--verbose prints each request to a bucket, without its signature', async () => {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/xml');
      response.end('<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
    });
    const { url, stop } = await listen(server);
    onTestFinished(() => stop());
    const env = {
      REGSHIFT_STORE: `s3://layers/?region=us-east-1&endpoint=${url}`,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
    };
    const { code, err } = await regshift(['store', 'info', '--verbose'], { env });
    expect(code).toBe(0);
    expect(err).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/layers\S*\?…: 200 application\/xml, \d+ ms\n$/);
    expect((await regshift(['store', 'info'], { env })).err).toBe('');
  });

  it('counts one layer, and one byte, as one', async () => {
    const { env } = await folderWith(1);
    const { out } = await regshift(['store', 'info'], { env });
    expect(out.split('\n')[0]).toBe('1 layer with 1 B; the store may have 5.0 kB');
  });

  it('needs no setting but those of the store, of variables and of the file', async () => {
    const { env, path } = await folderWith(100);
    const wrong = { PORT: 'x', REGSHIFT_UPSTREAM: 'x', REGSHIFT_TYPO: 'x', REGSHIFT_REDIS_URL: 'x' };
    expect(await regshift(['store', 'info'], { env: { ...env, ...wrong } })).toMatchObject({
      code: 0,
      err: '',
    });
    const file = join(path, 'regshift.yaml');
    const other = 'port: x\ntypo: 1\nupstreamPasswordFile: /nope\nroutes: [{ match: 1 }]\n';
    writeFileSync(file, `store: file://${path}\nstoreBytes: 5000\n${other}`);
    const { code, out } = await regshift(['store', 'info'], { env: { ...wrong, REGSHIFT_CONFIG: file } });
    expect({ code, line: out.split('\n')[0] }).toEqual({
      code: 0,
      line: '1 layer with 100 B; the store may have 5.0 kB',
    });
    writeFileSync(file, 'store: 1\n');
    const refused = await regshift(['store', 'info'], { env: { REGSHIFT_CONFIG: file } });
    expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/^regshift: store in \S+ is /)]);
    writeFileSync(file, 'a: b: c');
    expect((await regshift(['store', 'info'], { env: { REGSHIFT_CONFIG: file } })).code).toBe(2);
  });

  it.each([
    ['1.5kB', '0 B'],
    ['3 KiB', '2.4 kB'],
    ['10GiB', '3.6 kB'],
  ])('reads a number of bytes with a unit, and tells sizes with units: --bytes %s', async (bytes, left) => {
    const { env, path } = await folderWith(400, 800, 2_400);
    // The larger ones were used later.
    for (const [at, size] of [400, 800, 2_400].entries()) useAt(path, layerContent(size), 2_000 + at);
    const own = { ...env, REGSHIFT_STORE_BYTES: String(10 * 2 ** 30) };
    expect((await regshift(['store', 'prune', '--bytes', bytes], { env: own })).code).toBe(0);
    const { out } = await regshift(['store', 'info'], { env: own });
    expect(out.split('\n')[0]).toMatch(new RegExp(`layers? with ${left}; the store may have 10.7 GB$`));
  });

  it('says which setting is missing or wrong', async () => {
    const missing = await regshift(['store', 'info'], { env: {} });
    expect([missing.code, missing.err]).toEqual([
      2,
      'regshift: REGSHIFT_STORE is not set. Set it as for serve, like file:///var/lib/regshift.\n',
    ]);
    const wrong = await regshift(['store', 'info'], { env: { REGSHIFT_STORE: 'var/lib' } });
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('REGSHIFT_STORE');
    const bytes = await regshift(['store', 'prune', '--bytes', 'all'], { env: {} });
    expect(bytes.code).toBe(2);
  });

  it('reads an empty folder', async () => {
    const { env, path } = await folderWith();
    mkdirSync(path, { recursive: true });
    const { code, out } = await regshift(['store', 'info'], { env });
    expect([code, out]).toEqual([0, '0 layers with 0 B; the store may have 5.0 kB\n']);
  });

  it.each(['info', 'verify', 'prune'])(
    'says that the folder is not there, and makes none: %s',
    async (command) => {
      const { path } = await folderWith();
      const fresh = join(path, 'fresh');
      mkdirSync(path, { recursive: true });
      const env = { REGSHIFT_STORE: `file://${fresh}` };
      const { code, out, err } = await regshift(['store', command], { env });
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain('The folder of REGSHIFT_STORE is not there, so it has no layers.');
      expect(existsSync(fresh)).toBe(false);
    },
  );

  it.each([
    ['/dev/null', 'must name a folder, and /dev/null is a device'],
    [import.meta.filename, `must name a folder, and ${import.meta.filename} is a file`],
    ['/dev/null/layers', 'must name a folder, or a new one in an existing folder, and /dev/null is a device'],
    ['/not/there', 'must name a folder, or a new one in an existing folder, and /not is not there'],
  ])('refuses what is no folder: %s', refuses);

  it.each(['blobs', 'incoming'])('refuses a folder whose %s are on another file system', async (linked) => {
    const path = temporaryFolder();
    mkdirSync(path, { recursive: true });
    symlinkSync('/dev', join(path, linked));
    const found = `${path}/blobs is on another file system or mount than ${path}/incoming, from which layers move to it`;
    await refuses(path, `must name a folder, and ${found}: put the whole folder on one`);
    expect(readdirSync(path)).toEqual([linked]);
  });

  async function refuses(path: string, problem: string): Promise<void> {
    const env = { REGSHIFT_STORE: `file://${path}` };
    for (const command of ['info', 'verify', 'prune']) {
      const { code, err } = await regshift(['store', command], { env });
      expect([code, err]).toEqual([2, `regshift: REGSHIFT_STORE ${problem}.\n`]);
    }
    const checked = await regshift(['check-config'], { env });
    expect([checked.code, checked.err]).toEqual([
      2,
      `regshift cannot start with these settings:\nREGSHIFT_STORE is file://${path}: it ${problem}\n`,
    ]);
  }
});
