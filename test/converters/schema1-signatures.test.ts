import { describe, expect, it } from 'vitest';
import { digestOf, type Image, mediaTypes, readManifest, verifySchema1 } from '../../converters/index.ts';
import { goldenBytes } from '../support/golden.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A vector made by node:crypto and OpenSSL after libtrust: see `test/support/converters/write-signatures.ts`. */
const vector = (name: string) => goldenBytes(`signatures/${name}.json`);

function read(bytes: Uint8Array): Image {
  const model = readManifest(bytes);
  if (model.kind !== 'image') throw new Error('an index');
  return model;
}

function entriesOf(image: Image) {
  if (image.target.kind !== 'v1') throw new Error('no schema 1');
  return image.target.entries.map(({ id }) => id);
}

/** A vector with changed text. The vectors are ASCII. */
const changed = (name: string, change: (text: string) => string) =>
  encoder.encode(change(decoder.decode(vector(name))));

interface Block {
  header: { jwk: Record<string, string>; alg: string };
  signature: string;
  protected: string;
}

/** Changes the signature blocks as JSON. The rest of the document keeps its bytes, because the layout is the same. */
const withBlocks = (name: string, change: (blocks: Block[]) => void) =>
  changed(name, (text) => {
    const outer = JSON.parse(text) as { signatures: Block[] };
    change(outer.signatures);
    return JSON.stringify(outer, null, 3);
  });

const withFormat = (change: (format: Record<string, unknown>) => void) =>
  withBlocks('several', (blocks) => {
    const [first] = blocks as [Block];
    const format = JSON.parse(atob(first.protected)) as Record<string, unknown>;
    change(format);
    first.protected = btoa(JSON.stringify(format))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '');
  });

describe('a signed schema 1 manifest', () => {
  it.each(['ES256', 'ES384', 'ES512', 'RS256', 'RS512', 'indent-4', 'compact', 'several', 'certificate'])(
    'is read and verified: %s',
    async (name) => {
      const image = read(vector(name));
      await verifySchema1(image);
      expect(entriesOf(image)).toEqual(['a'.repeat(64), 'b'.repeat(64)]);
      expect(image.source.mediaType).toBe(mediaTypes.schema1Signed);
      expect(image.source.bytes).toEqual(vector(name));
    },
  );

  it('has the digest of the signed payload', () => {
    const payload = vector('unsigned');
    for (const name of ['ES256', 'RS256', 'several']) {
      expect(read(vector(name)).source.digest).toBe(digestOf(payload));
    }
  });

  it('without a signature is its own payload', async () => {
    const image = read(vector('unsigned'));
    await verifySchema1(image);
    expect(image.source).toMatchObject({
      mediaType: mediaTypes.schema1,
      digest: digestOf(vector('unsigned')),
    });
  });

  it.each([
    ['a changed payload', (text: string) => text.replace('library/signed', 'library/forged')],
    ['another key id', (text: string) => text.replace(/"kid": "..../, '"kid": "AAAA')],
    ['another algorithm', (text: string) => text.replace('"alg": "ES256"', '"alg": "ES384"')],
    [
      'an algorithm that libtrust does not know',
      (text: string) => text.replace('"alg": "ES256"', '"alg": "none"'),
    ],
    ['a symmetric key', (text: string) => text.replace('"kty": "EC"', '"kty": "oct"')],
    ['another signature', (text: string) => text.replace(/("signature": ")....../, '$1AAAAAA')],
  ])('is refused for %s', async (_, change) => {
    await expect(verifySchema1(read(changed('ES256', change)))).rejects.toMatchObject({
      name: 'ConversionError',
      code: 'SIGNATURE',
      dialect: 'schema1',
      path: '$.signatures[0]',
    });
  });

  it('names an algorithm that libtrust does not know', async () => {
    const forged = changed('ES256', (text) => text.replace('"alg": "ES256"', '"alg": "none"'));
    await expect(verifySchema1(read(forged))).rejects.toMatchObject({ found: 'the algorithm "none"' });
  });

  it('is refused if one of several signatures is invalid', async () => {
    const image = read(
      withBlocks('several', (blocks) => {
        const last = blocks.at(-1);
        if (last) last.signature = `AAAA${last.signature.slice(4)}`;
      }),
    );
    await expect(verifySchema1(image)).rejects.toMatchObject({ code: 'SIGNATURE', path: '$.signatures[2]' });
  });

  it('needs no key id', async () => {
    await verifySchema1(read(withBlocks('ES256', ([block]) => delete block?.header.jwk.kid)));
  });
});

describe('content outside of the signed payload (CVE-2014-8179)', () => {
  it('is ignored', async () => {
    const beside = '"manifests": [{"digest": "sha256:evil"}], "layers": [], "config": {},';
    const image = read(changed('ES256', (text) => text.replace('"signatures"', `${beside} "signatures"`)));
    await verifySchema1(image);
    expect(entriesOf(image)).toEqual(['a'.repeat(64), 'b'.repeat(64)]);
  });

  it('cannot replace signed content', () => {
    const bytes = changed('ES256', (text) => text.replace('"signatures"', '"tag": "other", "signatures"'));
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'AMBIGUOUS' }));
  });
});

describe('formatLength and formatTail', () => {
  it.each([
    ['beyond the body', (format: Record<string, unknown>) => Object.assign(format, { formatLength: 1e6 })],
    ['negative', (format: Record<string, unknown>) => Object.assign(format, { formatLength: -1 })],
    ['no whole number', (format: Record<string, unknown>) => Object.assign(format, { formatLength: 1.5 })],
    ['text', (format: Record<string, unknown>) => Object.assign(format, { formatLength: '786' })],
    ['missing', (format: Record<string, unknown>) => delete format.formatLength],
    ['without a tail', (format: Record<string, unknown>) => delete format.formatTail],
    [
      'different between signatures',
      (format: Record<string, unknown>) => Object.assign(format, { formatLength: 9 }),
    ],
    ['with another tail', (format: Record<string, unknown>) => Object.assign(format, { formatTail: 'fQ' })],
  ])('refuse: %s', (_, change) => {
    expect(() => read(withFormat(change))).toThrow(expect.objectContaining({ name: 'ConversionError' }));
  });

  it('refuse a length beyond the body by the length that it may have', () => {
    const bytes = withBlocks('ES256', ([block]) => {
      if (block) block.protected = btoa('{"formatLength":1000000,"formatTail":"Cn0"}').replace(/=+$/, '');
    });
    const expected = `a formatLength of at most ${bytes.length}`;
    expect(() => read(bytes)).toThrow(expect.objectContaining({ expected }));
  });

  it('refuse a length in another case, which libtrust takes for the known one', () => {
    const bytes = withFormat((format) => Object.assign(format, { FormatLength: format.formatLength }));
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'AMBIGUOUS' }));
  });

  it('refuse a tail that is not base64url', () => {
    const bytes = withBlocks('ES256', ([block]) => {
      if (block) block.protected = btoa('{"formatLength":786,"formatTail":"C=0"}').replace(/=+$/, '');
    });
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'SIGNATURE' }));
  });

  it('refuse a payload that is cut short', () => {
    const bytes = withBlocks('ES256', ([block]) => {
      if (block) block.protected = btoa('{"formatLength":90,"formatTail":"Cn0"}').replace(/=+$/, '');
    });
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'UNREADABLE' }));
  });
});

describe('the list of signatures', () => {
  it.each([
    ['null', 'INVALID'],
    ['[]', 'INVALID'],
    ['{}', 'INVALID'],
    ['[{}]', 'INVALID'],
    ['[1]', 'INVALID'],
    [`[${'{},'.repeat(32)}{}]`, 'LIMIT'],
  ])('is refused when it is %s', (json, code) => {
    const bytes = changed('unsigned', (text) => text.replace(/\n}$/, `,\n   "signatures": ${json}\n}`));
    expect(() => read(bytes)).toThrow(expect.objectContaining({ name: 'ConversionError', code }));
  });
});
