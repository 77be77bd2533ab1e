import { describe, expect, it } from 'vitest';
import { errorEntries } from '../../../../src/http/page/error-entries.ts';
import { findErrors as findErrorsAmong } from '../../../../src/http/page/error-search.ts';
import { nodeErrorEntries } from '../../../../src/http/page/node-error-entries.ts';

/** All entries, which the page has on Node. */
const allEntries = [...errorEntries, ...nodeErrorEntries];
const findErrors = (text: string) => findErrorsAmong(text, allEntries);

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** Texts as programs print them, and the message of docs/errors.md that belongs to each. */
const seen: readonly (readonly [text: string, message: string])[] = [
  ['manifest unknown', 'manifest unknown'],
  [
    'Error response from daemon: manifest for x not found: manifest unknown: manifest unknown',
    'manifest for R not found: manifest unknown: …',
  ],
  [
    `Error response from daemon: manifest for registry.test:5000/team/app@${digest} not found: manifest unknown: The digest is of no tag`,
    'manifest for R not found: manifest unknown: …',
  ],
  [
    'time="2026-11-29T09:08:43Z" level=fatal msg="Error parsing image name \\"docker://127.0.0.1:5000/team/app:1.0\\": reading manifest 1.0 in 127.0.0.1:5000/team/app: manifest unknown"',
    'manifest unknown',
  ],
  ['missing signature key', 'missing signature key'],
  ['Trying to pull repository proxy.test/team/app ... \nmissing signa\nture key', 'missing signature key'],
  ['unsupported docker v2s2 media type', 'unsupported docker v2s2 media type: …'],
  [
    'Error: copying system image from manifest list: creating an updated image manifest: unsupported docker v2s2 media type: "application/vnd.docker.image.rootfs.diff.tar.zstd"',
    'unsupported docker v2s2 media type: …',
  ],
  [
    'ctr: not implemented: media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, please rebuild the image as "application/vnd.docker.distribution.manifest.v2+json" or "application/vnd.oci.image.manifest.v1+json"',
    'media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, please rebuild the image as …',
  ],
  ['error from registry: manifest invalid', 'manifest invalid'],
  ['error from registry: something else', 'error from registry: …'],
  ["can't talk to a V1 container registry", "can't talk to a V1 container registry"],
  ['can’t talk to a V1 container registry', "can't talk to a V1 container registry"],
  [
    'failed to register layer: Error processing tar file(exit status 1): archive/tar: invalid tar header',
    'archive/tar: invalid tar header',
  ],
  [
    'Error response from daemon: Get "http://proxy.test:8080/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
    'connection refused',
  ],
  [
    'pinging container registry proxy.test:8080: Get "https://proxy.test:8080/v2/": net/http: TLS handshake timeout',
    'connection refused',
  ],
  ['x509: certificate signed by unknown authority', 'x509: certificate signed by unknown authority'],
  ...[
    "x509: cannot validate certificate for 192.0.2.7 because it doesn't contain any IP SANs",
    'x509: certificate is valid for other.example, not proxy.test',
    'x509: certificate is not valid for any names, but wanted to match proxy.test',
    'x509: certificate relies on legacy Common Name field, use SANs instead',
    "curl: (60) SSL: no alternative certificate subject name matches target host name 'proxy.test'",
  ].map(
    (said) =>
      [
        `Get "https://proxy.test:8443/v2/": ${said}`,
        "x509: cannot validate certificate for … because it doesn't contain any IP SANs",
      ] as const,
  ),
  [
    'Error response from daemon: Get "https://proxy.test:8443/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of "crypto/rsa: verification error")',
    'x509: certificate signed by unknown authority',
  ],
  [
    'failed to resolve reference "proxy.test:8080/team/app:1.0": failed to do request: Head "https://proxy.test:8080/v2/team/app/manifests/1.0": http: server gave HTTP response to HTTPS client',
    'http: server gave HTTP response to HTTPS client',
  ],
  [
    'time="2026-12-06T10:11:12Z" level=fatal msg="Error parsing image name \\"docker://127.0.0.1:8102/team/app:1.0\\": pinging container registry 127.0.0.1:8102: invalid status code from registry 502 (Bad Gateway)"',
    'invalid status code from registry 502 (Bad Gateway)',
  ],
  [
    'Error response from daemon: Get "https://proxy.test:8443/v2/": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-12-06T10:11:12Z is after 2026-12-01T00:00:00Z',
    'x509: certificate has expired or is not yet valid',
  ],
  [
    'Error: initializing source docker://proxy.test:8080/team/app:1.0: pinging container registry proxy.test:8080: Get "https://proxy.test:8080/v2/": http: server gave HTTP response to HTTPS client',
    'pinging …: Get …: http: server gave HTTP response to HTTPS client',
  ],
  ['no basic auth credentials', 'no basic auth credentials'],
  [
    'Error response from daemon: Head "http://127.0.0.1:5000/v2/team/app/manifests/1.0": no basic auth credentials',
    'no basic auth credentials',
  ],
  ['toomanyrequests', 'toomanyrequests: …'],
  [
    'Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
    'toomanyrequests: …',
  ],
  ['denied', 'denied: requested access to the resource is denied'],
  [
    "Error response from daemon: pull access denied for app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    "pull access denied for R, repository does not exist or may require 'docker login'",
  ],
  [
    'ctr: failed to resolve reference "127.0.0.1:5000/team/app:1.0": pulling from host 127.0.0.1:5000 failed with status code [manifests 1.0]: 401 Unauthorized',
    'failed with status code [manifests …]: 401 Unauthorized',
  ],
  [
    'ctr: failed to resolve reference "127.0.0.1:5000/team/app:1.0": 127.0.0.1:5000/team/app:1.0: not found',
    'failed to resolve reference …: not found',
  ],
  [
    '\u001b[31mERRO\u001b[0m[2026-11-29T09:08:43.123456789Z] Error trying v2 registry: missing \u001b[1msignature\u001b[0m key',
    'missing signature key',
  ],
  ['UPSTREAM_TIMEOUT', 'UPSTREAM_TIMEOUT'],
  ['upstream_timeout', 'UPSTREAM_TIMEOUT'],
  [
    '{"level":"warn","time":"2026-11-29T09:08:43.123Z","status":502,"error":"UPSTREAM_UNREACHABLE"}',
    'UPSTREAM_UNREACHABLE',
  ],
  ['unauthorized: authentication required', 'unauthorized: authentication required'],
  [
    'unable to ping registry endpoint https://proxy.test:8080/v0/\nv2 ping attempt failed with error: Get https://proxy.test:8080/v2/: tls: oversized record received with length 20527',
    'tls: oversized record received with length 20527',
  ],
  [
    "Error: Invalid registry endpoint https://proxy.test:8080/v1/: Get https://proxy.test:8080/v1/_ping: EOF. If this private registry supports only HTTP or HTTPS with an unknown CA certificate, please add `--insecure-registry proxy.test:8080` to the daemon's arguments.",
    'If this private registry supports only HTTP or HTTPS with an unknown CA certificate, please add …',
  ],
  [
    'time="2026-11-30T21:49:10Z" level=fatal msg="Error pushing to registry: Server error: 500 trying to push team/app:1.0 manifest"',
    'Server error: 500 trying to push … manifest',
  ],
  [
    'Error pushing to registry: Server error: unexpected 405 response status trying to initiate upload of team/app',
    'Server error: unexpected 405 response status trying to initiate upload of …',
  ],
  ['Error response from daemon: Unexpected status code 401', 'Unexpected status code 401'],
  [
    'Error: remote trust data does not exist for proxy.test:8443/team/app: proxy.test:8443 does not have trust data for proxy.test:8443/team/app',
    'remote trust data does not exist for …',
  ],
  ['no trust data available', 'no trust data available'],
  [
    'no matching manifest for linux/arm64/v8 in the manifest list entries',
    'no matching manifest for … in the manifest list entries',
  ],
  [
    'Error: choosing an image from manifest list docker://proxy.test/team/app:1.0: no image found in image index for architecture mips, variant "", OS linux',
    'no image found in … for architecture …',
  ],
  ['standard_init_linux.go:228: exec user process caused: exec format error', 'exec format error'],
  [
    "WARNING: The requested image's platform (linux/amd64) does not match the detected host platform (linux/arm64/v8) and no specific platform was requested",
    'does not match the detected host platform',
  ],
  ['invalid reference format', 'invalid reference format'],
  [
    'invalid reference format: repository name (Team/app) must be lowercase',
    'repository name (…) must be lowercase',
  ],
  ['app-5d8c7 0/1 ImagePullBackOff 0 2m', 'ImagePullBackOff'],
  [
    'You have reached your pull rate limit. You may increase the limit by authenticating and upgrading',
    'You have reached your … pull rate limit',
  ],
  ['error parsing HTTP 413 response body: invalid character', 'error parsing HTTP 413 response body'],
  [
    'dial tcp 192.0.2.7:8080: connectex: No connection could be made because the target machine actively refused it.',
    'target machine actively refused it',
  ],
  ['lookup proxy.test on 192.0.2.53:53: server misbehaving', 'server misbehaving'],
];

describe('a text that a program prints', () => {
  it.each(seen)('%s', (text, message) => {
    const { entries, isExact } = findErrors(text);
    expect(isExact).toBe(true);
    expect(entries[0]?.texts).toContain(message);
  });

  it.each([...seen.keys()])(
    'is found with lines of a log around it, in pieces of 40 characters: %i',
    (at) => {
      const [text = '', message = ''] = seen[at] ?? [];
      if (/^\w+$/.test(text)) return;
      const broken = text.replace(/(.{40})/g, '$1\n');
      const lines = `Nov 29 09:08:42 host dockerd[812]: pulling\n${broken}\n2026-11-29 09:08:44 done`;
      expect(findErrors(lines).entries[0]?.texts).toContain(message);
    },
  );
});

describe('every message', () => {
  const messages = allEntries.flatMap(({ texts }) => texts.filter((each) => each.length > 12));

  it.each(messages)('leads to its entry first, or to one with the same message: %s', (message) => {
    const { entries } = findErrors(message.replaceAll('…', 'xyz'));
    expect(entries[0]?.texts).toContain(message);
  });
});

describe('a text without a known message', () => {
  it('leads to entries with most of its words', () => {
    const { entries, isExact } = findErrors('signature key missing');
    expect(isExact).toBe(false);
    expect(entries[0]?.texts).toContain('missing signature key');
  });

  it.each(['zzzzzzzzzzzz', '', '…', 'ab'])('leads nowhere: %s', (text) => {
    expect(findErrors(text)).toEqual({ entries: [], isExact: false });
  });

  it('is searched in bounded work', () => {
    expect(findErrors('a'.repeat(4_000)).entries).toEqual([]);
    expect(findErrors('2026-11-29 '.repeat(360)).entries).toEqual([]);
  });
});

it('has no entry that needs the row before it', () => {
  const needy = allEntries.filter(
    ({ why, remedy }) => /^the same|as above/.test(why) || /^the same$/.test(remedy),
  );
  expect(needy).toEqual([]);
});
