import { parseTag } from '../../converters/reference.ts';
import { RegistryError } from '../../src/errors.ts';
import { readRefusal, refusesForm } from '../../src/http/v2/push-refusal.ts';
import { readPushed } from '../../src/registry/push/pushed-manifest.ts';
import { partOf, sizeOfUnsatisfied } from '../../src/upstream/api/blob-part.ts';
import { namesIn } from '../../src/upstream/api/name-list.ts';
import { contentLength } from '../../src/upstream/body.ts';
import { errorFromResponse } from '../../src/upstream/error-response.ts';
import { generateJson, type Vocabulary } from './generate.ts';
import { coded, hold, type TextTarget } from './text-target.ts';

const encoder = new TextEncoder();
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

const words: Vocabulary = {
  keys: [
    'errors',
    'code',
    'message',
    'detail',
    'tags',
    'name',
    'repositories',
    'manifest',
    '__proto__',
    'toString',
    '',
  ],
  scalars: [
    ...[
      null,
      true,
      0,
      -1,
      1e21,
      '',
      'DENIED',
      'MANIFEST_UNKNOWN',
      'MANIFEST_BLOB_UNKNOWN',
      'NAME_UNKNOWN',
      'UNKNOWN',
    ],
    ...[
      'TOOMANYREQUESTS',
      'MANIFEST_INVALID',
      digest,
      'latest',
      '1.0',
      '../x',
      '\u001b[31m',
      '\r\n',
      '\ud800',
      'constructor',
    ],
  ],
};

/** A header's value as it arrives: one byte a character, without line ends. */
const isHeader = (text: string) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text);

export const registryTargets: Readonly<Record<string, TextTarget>> = {
  errorbody: {
    seeds: [
      '{"errors":[{"code":"DENIED","message":"requested access is denied","detail":[{"Type":"repository"}]}]}',
      `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown","detail":{"digest":"${digest}"}}]}`,
      '{"errors":[]}',
      '{"details":"wrong login"}',
      '{"message":"not found","documentation_url":"x"}',
      '[]',
      '"x"',
      'null',
    ],
    generate: generateJson(words),
    async check(text) {
      const ways: string[] = [];
      for (const status of [400, 401, 403, 404, 429, 500]) {
        const respond = () =>
          new Response(encoder.encode(text), { status, headers: { 'content-type': 'application/json' } });
        const error = await errorFromResponse(respond(), 'manifest latest of a/b', 'MANIFEST_UNKNOWN');
        const { message } = error;
        hold(!/[^\P{Cc}\t\n]/u.test(message), `no control character in ${JSON.stringify(message)}`);
        hold(!/\[object|native code/.test(message), `words for people: ${message}`);
        hold(message.length < 2_000, 'a message of a readable length');
        const refusal = await readRefusal(respond());
        ways.push(`${error.code} ${refusal.codes.length} ${refusesForm(refusal)}`);
      }
      return ways.join(';');
    },
  },

  namelist: {
    seeds: [
      '{"name":"a/b","tags":["1.0","latest"]}',
      '{"tags":null}',
      '{"tags":[1,null,{"tags":["x"]},["y"]]}',
      '{"manifest":{"sha256:x":{"tag":["a"]}},"tags":["a"]}',
      '[]',
    ],
    generate: generateJson(words),
    async check(text) {
      const list = { what: 'list of tags', key: 'tags', most: 1_000, parse: parseTag };
      const found: string[] = [];
      try {
        for await (const names of namesIn(new Response(encoder.encode(text)), list)) found.push(...names);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        return error.code;
      }
      const { tags } = (JSON.parse(text) ?? {}) as { tags?: unknown };
      const meant = Array.isArray(tags)
        ? tags.filter((each) => typeof each === 'string' && parseTag(each) !== undefined)
        : undefined;
      // A member that is there twice counts twice here, and once for JSON.parse.
      if (meant && text.split('"tags"').length === 2)
        hold(JSON.stringify(found) === JSON.stringify(meant), 'the tags that JSON.parse finds');
      return found.length > 0 ? 'some' : 'none';
    },
  },

  length: {
    seeds: [
      '0',
      '5',
      '-1',
      '1e3',
      '5, 5',
      '0x10',
      '9'.repeat(20),
      ' 7 ',
      'bytes 0-4/5',
      'bytes */5',
      'bytes 3-4/*',
    ],
    check(text) {
      if (!isHeader(text)) return undefined;
      const headers = { 'content-length': text, 'content-range': text };
      const length = contentLength(new Response('x', { headers }));
      hold(length === undefined || (Number.isSafeInteger(length) && length >= 0), 'a length');
      const part = partOf(new Response('x', { status: 206, headers }));
      hold(part === undefined || (Number.isSafeInteger(part.from) && part.from >= 0), 'a part');
      const size = sizeOfUnsatisfied(new Response(null, { status: 416, headers }));
      hold(size === undefined || Number.isSafeInteger(size), 'a size');
      return `${length !== undefined} ${part !== undefined} ${size !== undefined}`;
    },
  },

  pushed: {
    seeds: [
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"${digest}"},"layers":[]}`,
      `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,"digest":"${digest}"}]}`,
      `{"schemaVersion":2,"artifactType":"a/b","subject":{"digest":"${digest}","size":2,"mediaType":"a/b"},"layers":[]}`,
    ],
    check(text) {
      const bytes = encoder.encode(text);
      for (const type of [null, 'application/vnd.oci.image.manifest.v1+json', 'text/plain', ''])
        coded(() => readPushed(bytes, type));
    },
  },
};
