import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';

const path = '/v2/sample/schema1-unsigned/manifests/latest';

describe('schema 1 that is stored without a signature', () => {
  it('is signed on the way, and the answer says that it was not', async () => {
    const answer = await testApp().get(path);
    expect(answer.status).toBe(200);
    expect(answer.header('Regshift-Conversion')).toBe('schema1 -> schema1; unsigned');
  });

  it('is refused where the operator wants it so, with the way out', async () => {
    const answer = await testApp({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' }).get(path);
    expect([answer.status, answer.error().code]).toEqual([404, 'UNSUPPORTED']);
    expect(answer.error().message).toContain('REGSHIFT_UNSIGNED_SCHEMA1');
  });

  it('is no matter for what is signed', async () => {
    const app = testApp({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' });
    expect((await app.get('/v2/sample/schema1/manifests/latest')).status).toBe(200);
  });
});
