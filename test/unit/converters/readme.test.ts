import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ConversionCode } from '../../../converters/index.ts';
import { readme, withMatrix } from '../../support/converters/write-matrix.ts';

const text = readFileSync(readme, 'utf8');
const root = join(import.meta.dirname, '../../..');

/** Every code; the compiler reports a missing one. */
const codes: Readonly<Record<ConversionCode, true>> = {
  UNREADABLE: true,
  UNKNOWN_DIALECT: true,
  AMBIGUOUS: true,
  INVALID: true,
  DIGEST_MISMATCH: true,
  SIGNATURE: true,
  LIMIT: true,
  INEXPRESSIBLE: true,
  NOT_AN_IMAGE: true,
  NO_PLATFORM: true,
  UNAVAILABLE: true,
};

describe('converters/README.md', () => {
  test('has the current matrix; npm run converters:matrix writes it', () => {
    expect(text).toBe(withMatrix(text));
  });

  test('names every code', () => {
    expect([...text.matchAll(/^\| ([A-Z_]+) +\| /gm)].map(([, code]) => code)).toEqual(Object.keys(codes));
  });

  test('has a working example, imported by the package’s name', () => {
    const example = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    const golden = join(root, 'test/golden/schema1/one-layer');
    const before = `
      import { readFileSync } from 'node:fs';
      const bytes = new Uint8Array(readFileSync(${JSON.stringify(join(golden, 'manifest.json'))}));
      const contentType = 'application/json';
      const fetchBytes = async () => new Uint8Array(readFileSync(${JSON.stringify(join(golden, 'config.json'))}));
      const measured = () => { throw new Error('not asked for'); };`;
    const after =
      'console.log(JSON.stringify([converted.mediaType, new TextDecoder().decode(converted.body)]));';
    // In a clone, the name leads to the sources.
    const run = ['--input-type=module-typescript', '--eval', `${before}\n${example}\n${after}`];
    const [mediaType, body] = JSON.parse(
      execFileSync(process.execPath, run, { cwd: root, encoding: 'utf8' }),
    );
    expect(mediaType).toBe('application/vnd.docker.distribution.manifest.v1+prettyjws');
    expect(JSON.parse(body)).toMatchObject({ schemaVersion: 1, name: 'library/busybox', tag: 'latest' });
  });
});
