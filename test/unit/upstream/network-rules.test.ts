import { describe, expect, it } from 'vitest';
import { parseIpRange } from '../../../src/routing/ip-range.ts';
import { withNetworkRules } from '../../../src/upstream/network-rules.ts';
import type { AddressRule, FetchInit } from '../../../src/upstream/send.ts';

/** A runtime that answers from `peer` and gives each rule the addresses of `names`. */
function start(upstream: string, { networks = [] as readonly string[] } = {}) {
  const asked: string[] = [];
  const rules: AddressRule[] = [];
  const logged: unknown[] = [];
  const runtime = { peer: undefined as string | undefined, names: {} as Record<string, string>, now: 0 };
  const fetch = withNetworkRules({
    upstream: new URL(upstream),
    networks: networks.flatMap((text) => parseIpRange(text) ?? []),
    clock: () => runtime.now,
    log: (level, message, facts) => logged.push([level, message, facts]),
    async fetch(href: string, { addresses, onPeer }: FetchInit) {
      const address = runtime.names[new URL(href).hostname];
      const refusal = address === undefined ? undefined : await addresses?.refusal(address);
      if (refusal) throw refusal;
      if (addresses) rules.push(addresses);
      asked.push(href);
      if (runtime.peer !== undefined) onPeer?.(runtime.peer);
      return new Response();
    },
  });
  return { fetch: (href: string) => fetch(href, {}), asked, rules, logged, runtime };
}

const own = 'http://registry.example/v2/';

describe('the addresses that upstream may name', () => {
  it('are those that it answers from a network of', async () => {
    const { fetch, runtime } = start('http://registry.example');
    runtime.names = { 'storage.example': '10.0.0.7', 'agent.example': '127.0.0.1' };
    runtime.peer = '10.0.0.1';
    await fetch(own);
    await fetch('http://storage.example/');
    await expect(fetch('http://agent.example/')).rejects.toThrow('whose address is loopback');
  });

  it('are those of the widest network that it answered from within five minutes', async () => {
    const { fetch, runtime } = start('http://registry.example');
    runtime.names = { 'agent.example': '127.0.0.1' };
    runtime.peer = '203.0.113.10';
    await fetch(own);
    runtime.peer = '127.0.0.1';
    runtime.now = 299_999;
    await fetch(own);
    await expect(fetch('http://agent.example/')).rejects.toThrow('its own address is public');
    runtime.now = 300_000;
    await fetch(own);
    await fetch('http://agent.example/');
    runtime.peer = '203.0.113.10';
    await fetch(own);
    await expect(fetch('http://agent.example/')).rejects.toThrow('its own address is public');
  });

  it('are found out by a ping if upstream has not answered yet, and only for an address that is not public', async () => {
    const { fetch, runtime, asked } = start('http://registry.example/path');
    runtime.names = { 'cdn.example': '198.51.100.7', 'storage.example': '10.0.0.7' };
    runtime.peer = '10.0.0.1';
    await fetch('http://cdn.example/');
    expect(asked).toEqual(['http://cdn.example/']);
    await fetch('http://storage.example/');
    await fetch('http://storage.example/');
    expect(asked.slice(1)).toEqual([own, 'http://storage.example/', 'http://storage.example/']);
  });

  it('are public ones if the runtime does not tell the address of upstream', async () => {
    const { fetch, asked } = start('http://registry.example');
    await fetch(own);
    await expect(fetch('http://10.0.0.7/')).rejects.toMatchObject({ code: 'UPSTREAM_ANSWER' });
    expect(asked).toEqual([own]);
  });

  it.each([
    ['http://10.0.0.1', 'http://10.9.9.9/'],
    ['http://localhost:5000', 'http://127.0.0.1:9000/'],
    ['http://127.0.0.1:5000', 'http://10.9.9.9/'],
    ['http://169.254.1.1', 'http://169.254.9.9/'],
    ['http://[fd00::1]', 'http://10.9.9.9/'],
  ])('follow from the address of %s itself, without a request', async (upstream, target) => {
    const { fetch, asked } = start(upstream);
    await fetch(target);
    expect(asked).toEqual([target]);
  });

  it('include every address of its own origin', async () => {
    const { fetch, runtime, rules } = start('http://registry.example');
    runtime.names = { 'registry.example': '169.254.169.254' };
    await fetch(own);
    expect(rules).toEqual([]);
    await expect(fetch('http://registry.example:8080/')).rejects.toThrow('REGSHIFT_UPSTREAM_NETWORKS');
    await expect(fetch('https://registry.example/')).rejects.toThrow('REGSHIFT_UPSTREAM_NETWORKS');
  });

  it('include REGSHIFT_UPSTREAM_NETWORKS, in every form of an address', async () => {
    const { fetch } = start('http://registry.example', { networks: ['10.0.0.0/8', 'fd00::/8'] });
    for (const host of ['10.0.0.7', '[::ffff:10.0.0.7]', '[64:ff9b::a00:7]', '[fd00::7]']) {
      await fetch(`http://${host}/`);
    }
    await expect(fetch('http://192.168.0.7/')).rejects.toThrow('REGSHIFT_UPSTREAM_NETWORKS');
  });
});

describe('a refusal', () => {
  it('names the address in the log, and not to the client', async () => {
    const { fetch, runtime, logged } = start('https://registry.example:5000');
    runtime.names = { 'internal.example': '10.0.0.7' };
    const refusal = await fetch('https://internal.example/secret').catch((error: unknown) => error);
    expect(String(refusal)).toBe(
      'RegistryError: registry.example:5000 names internal.example, whose address is private, and its own address is ' +
        'public: regshift does not connect there. If this is meant, add the address or its network to ' +
        'REGSHIFT_UPSTREAM_NETWORKS.',
    );
    const facts = { host: 'internal.example', address: '10.0.0.7', upstream: 'registry.example:5000' };
    expect(logged).toEqual([
      ['warn', expect.any(String), expect.objectContaining({ ...facts, remedy: expect.any(String) })],
    ]);
    expect(JSON.stringify(logged)).not.toContain('secret');
  });
});

describe('connections are shared', () => {
  it('only by requests with the same networks and the same network of upstream', async () => {
    const keyAfter = async (peer: string, networks: readonly string[] = []) => {
      const { fetch, runtime, rules } = start('http://registry.example', { networks });
      runtime.peer = peer;
      await fetch(own);
      await fetch('http://cdn.example/');
      return rules[0]?.key;
    };
    const key = await keyAfter('203.0.113.10');
    expect(await keyAfter('198.51.100.1')).toBe(key);
    expect(await keyAfter('10.0.0.1')).not.toBe(key);
    expect(await keyAfter('203.0.113.10', ['10.0.0.0/8'])).not.toBe(key);
    expect(await keyAfter('203.0.113.10', ['10.0.0.0/8'])).not.toBe(
      await keyAfter('203.0.113.10', ['10.0.0.0/9']),
    );
  });

  it('only by requests of one registry until that has answered: another one may be in a wider network', async () => {
    const keyOf = async (upstream: string) => {
      const { fetch, rules } = start(upstream);
      await fetch('http://cdn.example/');
      return rules[0]?.key;
    };
    const key = await keyOf('http://registry.example');
    expect(await keyOf('http://registry.example/path')).toBe(key);
    expect(await keyOf('http://other.example')).not.toBe(key);
  });
});
