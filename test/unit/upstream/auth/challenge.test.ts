import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../../src/upstream/auth/challenge.ts';

function read(header: string) {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

const bearer = ['bearer', { realm: 'https://auth.example/token', service: 'registry.example' }];

describe('parseChallenges reads', () => {
  it.each<[string, string, unknown[]]>([
    [
      'Docker Hub',
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.docker.io/token',
            service: 'registry.docker.io',
            scope: 'repository:a/b:pull',
          },
        ],
      ],
    ],
    [
      'two challenges in one header',
      'Basic realm="r", Bearer realm="https://auth.example/token",service="registry.example"',
      [['basic', { realm: 'r' }], bearer],
    ],
    [
      'Bearer before Basic, without spaces',
      'Bearer realm="https://auth.example/token",service="registry.example",Basic realm="r"',
      [bearer, ['basic', { realm: 'r' }]],
    ],
    [
      'RFC 9110 §11.6.1, its own example',
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      [
        ['basic', { realm: 'simple' }],
        ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
      ],
    ],
    [
      'commas in quotes',
      'Bearer realm="r",scope="repository:a:pull,push"',
      [['bearer', { realm: 'r', scope: 'repository:a:pull,push' }]],
    ],
    [
      'an escaped backslash before a quote',
      'Basic realm="a\\\\", Bearer',
      [
        ['basic', { realm: 'a\\' }],
        ['bearer', {}],
      ],
    ],
    ['names in any case', 'BEARER Realm="r",SERVICE="S"', [['bearer', { realm: 'r', service: 'S' }]]],
    [
      'a token68',
      'Negotiate YWJj==, Basic realm="r"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'r' }],
      ],
    ],
    ['a token68 at the end', 'NTLM TlRMTVNTUAAB', [['ntlm', {}]]],
    [
      'schemes alone',
      'Negotiate, Bearer',
      [
        ['negotiate', {}],
        ['bearer', {}],
      ],
    ],
    ['whitespace around =', 'Bearer realm = "r" , service\t=s', [['bearer', { realm: 'r', service: 's' }]]],
    ['a URL without quotes', 'Bearer realm=https://auth.example/token,service=registry.example', [bearer]],
    ['empty list elements', ', ,Basic ,realm="r",,', [['basic', { realm: 'r' }]]],
    ['an empty value', 'Basic realm=""', [['basic', { realm: '' }]]],
    ['the first of two values', 'Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
  ])('%s', (_, header, expected) => {
    expect(read(header)).toEqual(expected);
  });

  it('several headers, as Headers joins them', () => {
    const headers = new Headers();
    headers.append('www-authenticate', 'Basic realm="r"');
    headers.append(
      'www-authenticate',
      'Bearer realm="https://auth.example/token",service="registry.example"',
    );
    expect(read(headers.get('www-authenticate') ?? '')).toEqual([['basic', { realm: 'r' }], bearer]);
  });
});

describe('parseChallenges survives', () => {
  it.each<[string, string, unknown[]]>([
    ['nothing', '', []],
    ['a parameter of no challenge', 'realm="r", Basic realm="s"', [['basic', { realm: 's' }]]],
    ['signs that are no name', '=== (x) @, Basic realm="r"', [['basic', { realm: 'r' }]]],
    ['a stray string', '"a, b" Basic realm="r"', [['basic', { realm: 'r' }]]],
    [
      'an open quote, whose half a value is not used',
      'Bearer service="s",realm="https://auth.exa',
      [['bearer', { service: 's' }]],
    ],
    ['an open quote alone', '"Basic realm', []],
    ['control characters', 'Basic \u0000realm="r"', [['basic', {}]]],
  ])('%s', (_, header, expected) => {
    expect(read(header)).toEqual(expected);
  });

  it('anything, quickly', () => {
    for (const unit of ['"', '\\', 'a ', '= ', ', ', ' \t', '"\\', 'a=', '\u00ff', 'Basic "']) {
      expect(() => parseChallenges(unit.repeat(50_000))).not.toThrow();
    }
  });

  it('a header beyond 8 KiB, using only what was read whole', () => {
    const [scheme, parameters] =
      read(`Bearer service="s",x="${'y'.repeat(8000)}",realm=${'z'.repeat(2000)}`)[0] ?? [];
    expect(scheme).toBe('bearer');
    expect(Object.keys(parameters ?? {})).toEqual(['service', 'x']);
  });
});
