import { describe, expect, it } from 'vitest';
import {
  basicAuthorization,
  type Credential,
  credentialKey,
  type StaticCredential,
} from '../../../../src/upstream/auth/credential.ts';

const client = (authorization: string): StaticCredential => ({ kind: 'client', authorization });
const service = (username: string, password: string): StaticCredential => ({
  kind: 'service',
  username,
  password,
});

describe('credentialKey', () => {
  it('is the same for the same credential', () => {
    expect(credentialKey(client('Basic YTpi'))).toBe(credentialKey(client('Basic YTpi')));
    expect(credentialKey(service('a', 'b'))).toBe(credentialKey(service('a', 'b')));
    expect(credentialKey({ kind: 'none' })).toBe('none');
  });

  it.each<[Credential, Credential]>([
    [client('Basic YTpi'), client('Basic YTpj')],
    [client('Basic YTpi'), service('a', 'b')],
    [service('a', 'b'), service('ab', '')],
    [service('a","b', 'c'), service('a', 'b","c')],
    [client(''), { kind: 'none' }],
    [client('none'), { kind: 'none' }],
  ])('tells %j from %j', (one, other) => {
    expect(credentialKey(one)).not.toBe(credentialKey(other));
  });

  it('shows nothing of the credential', () => {
    expect(credentialKey(service('user', 'secret'))).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('basicAuthorization', () => {
  it.each<[StaticCredential, string | undefined]>([
    [{ kind: 'none' }, undefined],
    [client('Basic YTpi'), 'Basic YTpi'],
    [client('basic YTpi'), 'basic YTpi'],
    [client('Bearer abc'), undefined],
    [client('BasicToken abc'), undefined],
    [service('Aladdin', 'open sesame'), 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
    // RFC 7617 §2.1.
    [service('test', '123£'), 'Basic dGVzdDoxMjPCow=='],
  ])('of %j is %s', (credential, expected) => {
    expect(basicAuthorization(credential)).toBe(expected);
  });
});
