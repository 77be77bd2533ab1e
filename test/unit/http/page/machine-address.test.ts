import { describe, expect, it } from 'vitest';
import { machineAddress } from '../../../../src/http/page/machine-address.ts';

describe('the address of the proxy for another machine', () => {
  it.each([
    ['http://proxy.test:8080', 'http://proxy.test:8080'],
    ['https://proxy.test', 'https://proxy.test'],
    ['http://10.0.0.5:8080', 'http://10.0.0.5:8080'],
    ['http://[2001:db8::1]:8080', 'http://[2001:db8::1]:8080'],
    ['http://localhost.example:80', 'http://localhost.example'],
  ])('is that of the page: %s', (page, address) => {
    expect(machineAddress(page, '')).toEqual({ address });
  });

  it.each([
    ['http://127.0.0.1:8080', '127.0.0.1:8080', 'http://proxy.example.com:8080'],
    ['http://127.8.9.1', '127.8.9.1', 'http://proxy.example.com'],
    ['https://localhost:8443', 'localhost:8443', 'https://proxy.example.com:8443'],
    ['http://app.localhost:8080', 'app.localhost:8080', 'http://proxy.example.com:8080'],
    ['http://localhost.:8080', 'localhost.:8080', 'http://proxy.example.com:8080'],
    ['http://[::1]:8080', '[::1]:8080', 'http://proxy.example.com:8080'],
    ['http://0.0.0.0:8080', '0.0.0.0:8080', 'http://proxy.example.com:8080'],
    ['http://$(id).test:8080', 'this address', 'http://proxy.example.com:8080'],
  ])(
    'is not a name of the own machine, nor one with characters of a shell: %s',
    (page, unusable, address) => {
      expect(machineAddress(page, '')).toEqual({ address, unusable });
    },
  );

  it.each([
    ['buildhost', 'http://buildhost:8080'],
    ['buildhost:5000', 'http://buildhost:5000'],
    ['http://buildhost', 'http://buildhost'],
    ['https://proxy.test', 'https://proxy.test'],
    ['HTTPS://Proxy.Test:8443/', 'https://proxy.test:8443'],
    ['10.1.2.3', 'http://10.1.2.3:8080'],
    ['[2001:db8::1]', 'http://[2001:db8::1]:8080'],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['buildhost:80', 'http://buildhost'],
  ])('is the typed one, with the port of the page where it has none: %s', (typed, address) => {
    expect(machineAddress('http://127.0.0.1:8080', typed)).toEqual({ address });
  });

  it.each([
    'two words',
    'proxy.test/v2',
    '$(id)',
    'a?b',
    'user@proxy.test',
    'ftp://proxy.test',
    'a:b:c',
    '%00',
  ])('is not typed without a host: %s', (typed) => {
    const address = 'https://proxy.example.com:8443';
    expect(machineAddress('https://proxy.test:8443', typed)).toEqual({ address, unusable: typed });
  });
});
