import { expect, it } from 'vitest';
import { errorFromResponse } from '../../../src/upstream/error-response.ts';

async function messageOf(body: string, init: ResponseInit): Promise<string> {
  const response = new Response(body, init);
  return (await errorFromResponse(response, 'manifest latest of team/app', 'MANIFEST_UNKNOWN')).message;
}

const nginxPage = (title: string) => `<html>\r\n<head><title>400 ${title}</title></head>\r\n</html>`;

it.each([
  [
    'nginx without a client certificate',
    nginxPage('No required SSL certificate was sent'),
    'it wants a client certificate; set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY.',
  ],
  [
    'nginx with a wrong one',
    nginxPage('The SSL certificate error'),
    'it refuses the client certificate; check REGSHIFT_UPSTREAM_CERT.',
  ],
  [
    'nginx',
    nginxPage('The plain HTTP request was sent to HTTPS port'),
    'it speaks TLS there; check http:// against https://.',
  ],
  [
    'Go',
    'Client sent an HTTP request to an HTTPS server.\n',
    'it speaks TLS there; check http:// against https://.',
  ],
  [
    'Apache',
    "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    'it speaks TLS there; check http:// against https://.',
  ],
])('the message has the reason of a connection that is wrong: %s', async (_name, body, reason) => {
  const prefix = 'Upstream answered 400 for the manifest latest of team/app: ';
  expect(await messageOf(body, { status: 400, headers: { 'content-type': 'text/html' } })).toBe(
    prefix + reason,
  );
});

it.each([
  [400, 'text/html', nginxPage('Request Header Or Cookie Too Large')],
  [403, 'text/html', nginxPage('No required SSL certificate was sent')],
  [400, 'application/json', '{"errors":[]}'],
  [400, 'application/json', 'The SSL certificate error'],
])('no other body is taken for such a reason: %i %s', async (status, type, body) => {
  expect(await messageOf(body, { status, headers: { 'content-type': type } })).toBe(
    `Upstream answered ${status} for the manifest latest of team/app.`,
  );
});

it('the first error of a registry is in the message', async () => {
  const body = JSON.stringify({ errors: [{ code: 'NAME_INVALID', message: 'invalid name.' }] });
  expect(await messageOf(body, { status: 400, headers: { 'content-type': 'application/json' } })).toBe(
    'Upstream answered 400 for the manifest latest of team/app: NAME_INVALID, invalid name.',
  );
});

it.each([
  ['no message', { code: 'DENIED' }],
  ['an empty message', { code: 'DENIED', message: '' }],
  ['a message that is no text', { code: 'DENIED', message: { reason: 'quota' } }],
])('of an error with %s, the code is in the message', async (_name, error) => {
  const init = { status: 403, headers: { 'content-type': 'application/json' } };
  expect(await messageOf(JSON.stringify({ errors: [error] }), init)).toBe(
    'Upstream answered 403 for the manifest latest of team/app: DENIED.',
  );
});

it.each([
  [403, 1003, ': a Worker reaches no IP address; put a host name into REGSHIFT_UPSTREAM'],
  [404, 1042, ': the host is a Worker in the same zone; give that Worker a custom domain'],
  [522, 522, ': no connection in time; check firewalls and the address'],
  [530, 1016, ': the host name leads nowhere; check its name and the DNS'],
  [403, 1020, ''],
])('%i with error %i of Cloudflare is no answer of the registry', async (status, code, advice) => {
  const headers = { 'content-type': 'text/plain; charset=UTF-8' };
  const response = new Response(`error code: ${code}`, { status, headers });
  const error = await errorFromResponse(response, 'manifest latest of team/app', 'MANIFEST_UNKNOWN');
  expect(error.message).toBe(
    `Upstream answered ${status} for the manifest latest of team/app: error ${code} of Cloudflare, in place of the ` +
      `registry${advice}.`,
  );
  expect(error).toMatchObject({ code: 'UPSTREAM_ANSWER', detail: { upstreamStatus: status } });
});

it.each(['404 page not found\n', 'error code: 1003, and more'])(
  'another text leaves the status: %s',
  async (body) => {
    const response = new Response(body, { status: 404, headers: { 'content-type': 'text/plain' } });
    const error = await errorFromResponse(response, 'manifest latest of team/app', 'MANIFEST_UNKNOWN');
    expect(error.code).toBe('MANIFEST_UNKNOWN');
    expect(error.message).toBe('Upstream answered 404 for the manifest latest of team/app.');
  },
);

it('a limit of Cloudflare stays a limit', async () => {
  const headers = { 'content-type': 'text/plain', 'retry-after': '60' };
  const response = new Response('error code: 1015', { status: 429, headers });
  const error = await errorFromResponse(response, 'manifest latest of team/app', 'MANIFEST_UNKNOWN');
  expect(error).toMatchObject({ code: 'RATE_LIMITED', headers: { 'retry-after': '60' } });
  expect(error.message).toContain('error 1015 of Cloudflare');
});

it('a status that Cloudflare alone has tells its error without a body, and JSON of a registry stays the reason', async () => {
  const head = new Response(null, { status: 522 });
  expect((await errorFromResponse(head, 'manifest', 'MANIFEST_UNKNOWN')).message).toContain(
    'error 522 of Cloudflare',
  );
  const body = JSON.stringify({ errors: [{ code: 'UNAVAILABLE', message: 'later' }] });
  expect(await messageOf(body, { status: 522, headers: { 'content-type': 'application/json' } })).toContain(
    ': UNAVAILABLE, later.',
  );
});
