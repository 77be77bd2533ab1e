import { describe, expect, it } from 'vitest';
import { manifestTypes, mediaTypes } from '../../../converters/media-types.ts';
import { readAccept } from '../../../src/negotiation/accept.ts';

const { schema2, dockerList, ociManifest, generic } = mediaTypes;

interface Case {
  readonly header: string | undefined;
  readonly named: readonly string[];
  readonly anything?: true;
}

const cases: readonly Case[] = [
  { header: undefined, named: [] },
  { header: '', named: [] },
  { header: '  , ,', named: [] },
  { header: schema2, named: [schema2] },
  { header: schema2.toUpperCase(), named: [schema2] },
  { header: ` ${schema2} ; charset=utf-8 `, named: [schema2] },
  { header: `${schema2},${dockerList}`, named: [schema2, dockerList] },
  { header: `${schema2} , ${schema2}`, named: [schema2] },
  { header: generic, named: [generic] },
  // An old client sends nothing else.
  { header: 'application/json', named: [] },
  { header: `application/json, ${schema2}`, named: [schema2] },
  { header: '*/*', named: [], anything: true },
  { header: 'application/*', named: [], anything: true },
  { header: 'application/json, */*', named: [], anything: true },
  { header: 'text/html, */*;q=0.8', named: ['text/html'], anything: true },
  { header: 'text/*', named: ['text/*'] },
  // Beside named manifest types a wildcard adds nothing: containerd sends one.
  { header: `${ociManifest}, */*`, named: [ociManifest] },
  { header: `*/*, ${ociManifest}`, named: [ociManifest] },
  // A wildcard does not stand for a type that is refused by name (RFC 9110, section 12.5.1).
  {
    header: `${ociManifest};q=0, */*`,
    named: [...manifestTypes, generic].filter((type) => type !== ociManifest),
  },
  { header: `${schema2};q=0`, named: [] },
  { header: `${schema2};q=0.000, ${dockerList}`, named: [dockerList] },
  { header: `${schema2} ; Q = 0`, named: [] },
  { header: `${schema2};q=0.001`, named: [schema2] },
  { header: `${schema2};q=1`, named: [schema2] },
  { header: `${schema2};q=nonsense`, named: [schema2] },
  { header: '*/*;q=0', named: [] },
];

describe('Accept', () => {
  it.each(cases)('$header names $named', ({ header, named, anything = false }) => {
    const read = readAccept(header);
    expect([...read.named.keys()]).toEqual(named);
    expect(read.wildcard).toBe(anything);
  });

  it('has the q of each type, and 1 where it names none', () => {
    const { named } = readAccept(`${schema2};q=0.5, ${ociManifest}; q=0.9, ${dockerList}, ${generic};q=x`);
    expect([...named]).toEqual([
      [schema2, 0.5],
      [ociManifest, 0.9],
      [dockerList, 1],
      [generic, 1],
    ]);
  });

  it.each([
    [undefined, { any: false, bare: true, empty: true }],
    ['application/json', { any: false, bare: true, empty: false }],
    ['text/plain', { any: false, bare: false, empty: false }],
    ['*/*', { any: true, bare: false, empty: false }],
    ['text/plain, *', { any: true, bare: false, empty: false, wildcard: true }],
    [`${schema2}, *`, { any: true, bare: false, empty: false, wildcard: false }],
    [`${schema2}, */*`, { any: true, bare: false, empty: false }],
    [`${schema2}, */*;q=0`, { any: false, bare: false, empty: false }],
  ])('%s: %o', (header, expected) => {
    expect(readAccept(header)).toMatchObject(expected);
  });

  it('has the other types of a wildcard beside a type that is refused', () => {
    const { named, wildcard, any } = readAccept(`${ociManifest};q=0, ${generic};q=0, */*`);
    expect([...named.keys()].toSorted()).toEqual(
      manifestTypes.filter((type) => type !== ociManifest).toSorted(),
    );
    expect({ wildcard, any }).toEqual({ wildcard: false, any: true });
    expect([...readAccept(`${ociManifest};q=0, ${schema2}, */*`).named.keys()]).toEqual([schema2]);
    expect(readAccept('text/plain;q=0, */*').wildcard).toBe(true);
  });

  it('is parsed up to 8192 characters, so that a longer header causes no more work', () => {
    const long = `${'text/plain,'.repeat(1000)}${schema2}`;
    expect([...readAccept(long).named.keys()]).not.toContain(schema2);
    expect([...readAccept(long.slice(-600)).named.keys()]).toContain(schema2);
  });
});
