import { describe, expect, it, vi } from 'vitest';
import { followRedirects } from '../../../src/upstream/redirect.ts';

interface Seen {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
}

/** Walks a map of URL → Location; what is not in it answers 200. */
async function walk(start: string, locations: Record<string, string | null>, status = 307) {
  const seen: Seen[] = [];
  const headers = { authorization: 'Basic YTpi', cookie: 'c=1', range: 'bytes=5-' };
  const followed = await followRedirects(new URL(start), headers, async (url, sent) => {
    expect(sent.range).toBe('bytes=5-');
    seen.push({ url: url.href, authorization: sent.authorization, cookie: sent.cookie });
    const location = locations[url.href];
    if (location === undefined) return new Response('content');
    return new Response(null, { status, headers: location === null ? {} : { location } });
  });
  return { seen, followed };
}

describe('followRedirects', () => {
  it.each([301, 302, 303, 307, 308])('follows %i', async (status) => {
    const { followed } = await walk('https://a/1', { 'https://a/1': 'https://a/2' }, status);
    expect(followed.url.href).toBe('https://a/2');
    expect(await followed.response.text()).toBe('content');
  });

  it.each([200, 300, 304, 305, 404])('does not follow %i', async (status) => {
    const response = new Response(null, { status, headers: { location: 'https://a/2' } });
    const followed = await followRedirects(new URL('https://a/1'), {}, async () => response);
    expect(followed.response).toBe(response);
  });

  it.each([
    ['/other?x=1', 'https://a:8443/other?x=1'],
    ['sibling', 'https://a:8443/v2/sibling'],
    ['//b/path', 'https://b/path'],
    ['?x=1', 'https://a:8443/v2/blob?x=1'],
  ])('resolves the relative Location %s', async (location, expected) => {
    const { followed } = await walk('https://a:8443/v2/blob', { 'https://a:8443/v2/blob': location });
    expect(followed.url.href).toBe(expected);
  });

  it('keeps credentials within the origin', async () => {
    const { seen, followed } = await walk('https://a/1', { 'https://a/1': '/2' });
    expect(seen[1]).toEqual({ url: 'https://a/2', authorization: 'Basic YTpi', cookie: 'c=1' });
    expect(followed.leftOrigin).toBe(false);
  });

  it.each([
    ['host', 'http://a/1', 'http://b/1'],
    ['subdomain', 'http://a/1', 'http://x.a/1'],
    ['port', 'http://a/1', 'http://a:8080/1'],
    ['scheme', 'http://a/1', 'https://a/1'],
  ])('drops credentials at another %s, and for good', async (_, start, other) => {
    const back = other.startsWith('https') ? 'https://c/2' : 'http://a/2';
    const { seen, followed } = await walk(start, { [start]: other, [other]: back });
    expect(seen.map(({ authorization, cookie }) => [authorization, cookie])).toEqual([
      ['Basic YTpi', 'c=1'],
      [undefined, undefined],
      [undefined, undefined],
    ]);
    expect(followed.leftOrigin).toBe(true);
  });

  it('goes five hops and not six', async () => {
    const chain = (length: number) =>
      Object.fromEntries(Array.from({ length }, (_, hop) => [`https://a/${hop}`, `/${hop + 1}`]));
    expect((await walk('https://a/0', chain(5))).followed.url.href).toBe('https://a/5');
    await expect(walk('https://a/0', chain(6))).rejects.toMatchObject({ code: 'UPSTREAM_ANSWER' });
  });

  it('gives up the bodies of redirects', async () => {
    const cancel = vi.fn();
    const body = new ReadableStream({ cancel });
    const answers = [
      new Response(body, { status: 302, headers: { location: '/2' } }),
      new Response('content'),
    ];
    await followRedirects(new URL('https://a/1'), {}, async () => answers.shift() as Response);
    expect(cancel).toHaveBeenCalledOnce();
  });

  it.each([
    ['http after https', 'http://b/1?signature=secret', /https to http \(b\)/],
    ['another scheme', 'ftp://b/1?signature=secret', /ftp:/],
    ['a login in the URL', 'https://user:secret@b/1', /login/],
    ['no URL', 'https://[secret', /no URL/],
    ['no Location', null, /without a Location/],
  ])('refuses %s, and names no secret', async (_, location, message) => {
    const refused = walk('https://a/1', { 'https://a/1': location });
    await expect(refused).rejects.toMatchObject({
      name: 'RegistryError',
      code: 'UPSTREAM_ANSWER',
      message: expect.stringMatching(message),
    });
    await expect(refused).rejects.not.toThrow(/secret/);
  });
});
