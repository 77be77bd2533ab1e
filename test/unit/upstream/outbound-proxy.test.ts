import { describe, expect, it } from 'vitest';
import { chooseProxy, parseProxyUrl, readProxyEnvironment } from '../../../src/upstream/outbound-proxy.ts';

function proxyOf(url: string, environment: Record<string, string>): string | undefined {
  return chooseProxy(readProxyEnvironment(environment))?.(new URL(url))?.href;
}

/** The answers are those of golang.org/x/net/http/httpproxy. */
describe('NO_PROXY', () => {
  it.each([
    ['registry.example', 'https://registry.example/'],
    ['registry.example', 'https://cdn.registry.example/'],
    ['.registry.example', 'https://cdn.registry.example/'],
    ['*.registry.example', 'https://cdn.registry.example/'],
    ['REGISTRY.example', 'https://registry.EXAMPLE/'],
    [' other.example , registry.example', 'https://registry.example/'],
    ['registry.example:443', 'https://registry.example/'],
    ['registry.example:80', 'http://registry.example/'],
    ['10.0.0.0/8', 'https://10.1.2.3/'],
    ['10.1.2.3', 'https://10.1.2.3:5000/'],
    ['10.1.2.3:5000', 'https://10.1.2.3:5000/'],
    ['fd00::/8', 'https://[fd00::7]/'],
    ['[fd00::7]:443', 'https://[fd00::7]/'],
    ['fd00::7', 'https://[fd00::7]/'],
    ['bücher.example', 'https://bücher.example/'],
    ['.bücher.example:443', 'https://cdn.bücher.example/'],
    ['*', 'https://registry.example/'],
    ['x, *', 'https://10.1.2.3/'],
  ])('%s exempts %s', (exceptions, url) => {
    const proxies = { HTTP_PROXY: 'http://proxy.example', HTTPS_PROXY: 'http://proxy.example' };
    expect(proxyOf(url, { ...proxies, NO_PROXY: exceptions })).toBeUndefined();
  });

  it.each([
    ['', 'https://registry.example/'],
    ['.registry.example', 'https://registry.example/'],
    ['*.registry.example', 'https://registry.example/'],
    ['registry.example', 'https://myregistry.example/'],
    ['registry.example:80', 'https://registry.example/'],
    ['10.1.2.3:5000', 'https://10.1.2.3/'],
    ['10.0.0.0/8', 'https://11.1.2.3/'],
    // Go compares ranges with addresses in URLs only: a proxy resolves the names.
    ['10.0.0.0/8', 'https://registry.example/'],
    ['10.0.0.0/99, :80, [', 'https://10.1.2.3/'],
    ['registry.example/', 'https://registry.example/'],
    ['bücher example', 'https://registry.example/'],
  ])('%j does not exempt %s', (exceptions, url) => {
    const environment = { HTTPS_PROXY: 'http://proxy.example', NO_PROXY: exceptions };
    expect(proxyOf(url, environment)).toBe('http://proxy.example/');
  });
});

describe('an outbound proxy', () => {
  it.each(['http://localhost:5000/', 'http://127.0.0.1/', 'http://127.9.9.9/', 'http://[::1]:5000/'])(
    'is not asked for %s',
    (url) => expect(proxyOf(url, { HTTP_PROXY: 'http://proxy.example' })).toBeUndefined(),
  );

  it('is chosen by the scheme', () => {
    const both = { HTTP_PROXY: 'http://plain.example', HTTPS_PROXY: 'http://secure.example' };
    expect(proxyOf('http://registry.example', both)).toBe('http://plain.example/');
    expect(proxyOf('https://registry.example', both)).toBe('http://secure.example/');
    expect(proxyOf('https://registry.example', { HTTP_PROXY: 'http://plain.example' })).toBeUndefined();
  });

  it('may be in a lower-case variable; the upper-case one takes precedence, unless it is empty', () => {
    const lower = { https_proxy: 'http://lower.example', no_proxy: 'direct.example' };
    expect(proxyOf('https://registry.example', lower)).toBe('http://lower.example/');
    expect(proxyOf('https://direct.example', lower)).toBeUndefined();
    expect(proxyOf('https://x.example', { ...lower, HTTPS_PROXY: 'http://upper.example' })).toMatch('upper');
    expect(proxyOf('https://x.example', { ...lower, HTTPS_PROXY: '' })).toMatch('lower');
  });

  it('needs no scheme', () =>
    expect(parseProxyUrl('proxy.example:3128')?.href).toBe('http://proxy.example:3128/'));

  it.each([
    'socks5://proxy.example',
    'http://',
    'http://proxy.example/path',
    'http://u:50%@proxy.example',
    'ftp://proxy.example',
  ])('cannot be %s', (text) => {
    expect(parseProxyUrl(text)).toBeUndefined();
    expect(readProxyEnvironment({ https_proxy: text }).wrong).toEqual(['https_proxy']);
  });
});
