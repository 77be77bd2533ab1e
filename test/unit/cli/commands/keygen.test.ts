import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSigningKey } from '../../../../converters/crypto/signing-key.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';

describe('regshift keygen', () => {
  it.each(['pem', 'jwk'])('prints a key that REGSHIFT_SIGNING_KEY takes: %s', async (format) => {
    const { code, out, err } = await regshift(['keygen', '--format', format]);
    expect(code).toBe(0);
    expect(out.startsWith(format === 'jwk' ? '{' : '-----BEGIN PRIVATE KEY-----')).toBe(true);
    const { id } = await readSigningKey(out);
    expect(err).toBe(`This is the key ${id}\n`);
  });

  it('prints the key for --out -, as save and convert do', async () => {
    const { code, out, err } = await regshift(['keygen', '--out', '-']);
    expect({ code, err }).toEqual({ code: 0, err: `This is the key ${(await readSigningKey(out)).id}\n` });
  });

  it('writes a file that only its owner can read', async () => {
    const file = join(temporaryFolder(), 'key.pem');
    const { code, out } = await regshift(['keygen', '--out', file]);
    const { id } = await readSigningKey(readFileSync(file, 'utf8'));
    expect({ code, out }).toEqual({ code: 0, out: `${file} holds the key ${id}\n` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps an existing file', async () => {
    const file = join(temporaryFolder(), 'key.pem');
    writeFileSync(file, 'the only copy');
    const { code, out, err } = await regshift(['keygen', '--out', file]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`${file} already exists`);
    expect(readFileSync(file, 'utf8')).toBe('the only copy');
  });

  it('prints JSON with the id, and the file or the key', async () => {
    const file = join(temporaryFolder(), 'key.jwk');
    const written = await regshift(['keygen', '--out', file, '--format', 'jwk', '--json']);
    const { id } = await readSigningKey(readFileSync(file, 'utf8'));
    expect(written.json()).toEqual({ keyId: id, format: 'jwk', file });
    const printed = (await regshift(['keygen', '--json'])).json<{ keyId: string; key: string }>();
    expect((await readSigningKey(printed.key)).id).toBe(printed.keyId);
  });
});
