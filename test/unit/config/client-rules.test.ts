import ipaddr from 'ipaddr.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { clientRules } from '../../../src/config/client-rules.ts';
import { networkClasses, ruleFor } from '../../../src/negotiation/client-rule.ts';

const networks = Array.from({ length: 200 }, (_, index) => ({
  match: { userAgent: 'skopeo/*', network: `10.0.${index}.0/24` },
  lacks: ['zstd'],
}));

afterEach(() => {
  vi.restoreAllMocks();
});

function parse(rules: readonly unknown[]) {
  return clientRules.parse(JSON.stringify(rules)).rules;
}

describe('many rules about clients', () => {
  it('are read with a few looks at each network', () => {
    const read = vi.spyOn(ipaddr.IPv4, 'parse');
    expect(parse(networks)).toHaveLength(networks.length);
    expect(read.mock.calls.length).toBeLessThan(10 * networks.length);
  });

  it('read the address of a request once', () => {
    const rules = parse(networks);
    const read = vi.spyOn(ipaddr.IPv4, 'parse');
    expect(ruleFor(rules, 'skopeo/1.9.3', '10.0.199.7').rule).toBe(rules[199]);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('are shared by the routes that inherit them, so that a request tests each once', () => {
    const [rules, inherited] = [parse(networks), parse(networks)];
    expect(inherited).toBe(rules);
    expect(networkClasses([...rules, ...inherited])?.('10.0.1.7')).toHaveLength(networks.length);
  });

  it('are refused again where they are read again', () => {
    const rules = [{ match: {}, lacks: [] }];
    expect(() => parse(rules)).toThrow('rule 0 needs lacks');
    expect(() => parse(rules)).toThrow('rule 0 needs lacks');
  });

  it.each([
    [{ network: '10.0.0.0/8' }, { network: ['10.1.0.0/16', '10.2.0.0/16'] }],
    [{ network: ['192.0.2.0/24', '10.0.0.0/8'] }, { userAgent: 'skopeo/*', network: '10.1.2.3' }],
    [{ userAgent: 'skopeo/*' }, { userAgent: 'skopeo/1.*', network: '10.0.0.0/8' }],
  ])('refuse one that no request reaches: %j before %j', (earlier, later) => {
    const rules = [earlier, later].map((match) => ({ match, lacks: ['zstd'] }));
    expect(() => parse(rules)).toThrow('rule 0 matches all that rule 1 does');
  });

  it.each([
    [{ network: '10.1.0.0/16' }, { network: '10.0.0.0/8' }],
    [{ network: '10.0.0.0/8' }, { network: ['10.1.0.0/16', '192.0.2.1'] }],
    [{ network: '10.0.0.0/8' }, { userAgent: 'skopeo/*' }],
    [{ userAgent: 'skopeo/*' }, { network: '10.0.0.0/8' }],
    [{ userAgent: 'skopeo/1.*' }, { userAgent: 'skopeo/*' }],
  ])('keep one that some request reaches: %j before %j', (earlier, later) => {
    const rules = [earlier, later].map((match) => ({ match, lacks: ['zstd'] }));
    expect(parse(rules)).toHaveLength(2);
  });
});
