import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { unstable_getVarsForDev as readDevVars, experimental_readRawConfig as readRawConfig } from 'wrangler';
import { readSigningKey } from '../../converters/crypto/signing-key.ts';
import { fileVariables } from '../../src/config/setting-files.ts';
import { readSettings, settingNames } from '../../src/config/settings.ts';
import { ofConnections, ofServers } from '../../src/runtime/web/node-only.ts';
import { regshift } from '../support/cli.ts';
import { projectAddress } from '../support/release/address.ts';
import { projectRoot } from '../support/wrangler.ts';

const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');
const page = read('deploy/cloudflare.md');
const example = read('.dev.vars.example');
const { cloudflare } = JSON.parse(read('package.json')) as {
  readonly cloudflare: { readonly bindings: Readonly<Record<string, { readonly description: string }>> };
};
const nodeOnly: readonly string[] = [...ofConnections, ...ofServers, 'REGSHIFT_REDIS_URL'];

/** The values of `vars` in a wrangler.toml, as wrangler reads it. */
function varsOf(config: string): Readonly<Record<string, unknown>> {
  return readRawConfig({ config }).rawConfig.vars ?? {};
}

describe('the files that Cloudflare reads', () => {
  let folder = '';
  let secrets: Readonly<Record<string, string>> = {};
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'regshift-cloudflare-'));
    copyFileSync(join(projectRoot, 'wrangler.toml'), join(folder, 'wrangler.toml'));
    copyFileSync(join(projectRoot, '.dev.vars.example'), join(folder, '.dev.vars'));
    const bindings = readDevVars(join(folder, 'wrangler.toml'), undefined, {}, undefined, true);
    secrets = Object.fromEntries(
      Object.entries(bindings).map(([name, binding]) => [
        name,
        'value' in binding ? String(binding.value) : '',
      ]),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('.dev.vars.example has each secret that a Worker may have, once, with a comment', () => {
    const paragraphs = example.trim().split('\n\n').slice(1);
    const named = paragraphs.flatMap((paragraph) => {
      expect(paragraph).toMatch(/^# [A-Z].*[^=\n]$/m);
      return [...paragraph.matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(([, name]) => name);
    });
    expect(named.toSorted()).toEqual(fileVariables.filter((name) => !nodeOnly.includes(name)).toSorted());
  });

  test('.dev.vars.example has no value: the Deploy button would store it as it is', () => {
    expect(Object.keys(secrets)).toEqual(['REGSHIFT_SIGNING_KEY']);
    expect(example.match(/^(?:# )?[A-Z][A-Z0-9_]+=.+$/gm)).toBeNull();
  });

  test('a key of one line, as .dev.vars.example says, is a signing key', async () => {
    expect(example).toContain('`npx regshift keygen --format jwk`');
    const own = mkdtempSync(join(tmpdir(), 'regshift-cloudflare-'));
    onTestFinished(() => rmSync(own, { recursive: true, force: true }));
    copyFileSync(join(projectRoot, 'wrangler.toml'), join(own, 'wrangler.toml'));
    const { out } = await regshift(['keygen', '--format', 'jwk']);
    writeFileSync(
      join(own, '.dev.vars'),
      example.replace('REGSHIFT_SIGNING_KEY=', `REGSHIFT_SIGNING_KEY=${out}`),
    );
    const { REGSHIFT_SIGNING_KEY: key } = readDevVars(
      join(own, 'wrangler.toml'),
      undefined,
      {},
      undefined,
      true,
    );
    expect(await readSigningKey(String(key && 'value' in key ? key.value : ''))).toHaveProperty('id');
  });

  test('the limit of subrequests of the free plan is one number on all pages', () => {
    const pages = ['docs/settings.md', 'deploy/cloudflare.md', 'wrangler.toml'].map(read);
    const numbers = pages.map((text) => /REGSHIFT_SUBREQUESTS(?: = "|.*set `)(\d+)/.exec(text)?.[1]);
    expect(new Set(numbers)).toEqual(new Set(['48']));
  });

  test('package.json describes what the Deploy button asks for, and nothing else', () => {
    const asked = [...Object.keys(varsOf(join(projectRoot, 'wrangler.toml'))), ...Object.keys(secrets)];
    expect(Object.keys(cloudflare.bindings)).toEqual(asked);
    for (const { description } of Object.values(cloudflare.bindings))
      expect(description).toMatch(/^[A-Z].*\.$/);
  });

  test('name settings that there are, and a Worker starts with them as they are', () => {
    const vars = varsOf(join(projectRoot, 'wrangler.toml'));
    expect(settingNames).toEqual(expect.arrayContaining([...Object.keys(vars), ...Object.keys(secrets)]));
    expect(readSettings({ ...vars, ...secrets })).not.toHaveProperty('problems');
    const commented = [...read('wrangler.toml').matchAll(/^# ([A-Z][A-Z0-9_]+) = /gm)].map(
      ([, name]) => name,
    );
    expect(settingNames).toEqual(expect.arrayContaining(commented));
  });
});

describe('deploy/cloudflare.md', () => {
  const [top = ''] = page.split('\n## ');
  const steps = [...top.matchAll(/^(\d)\. [\s\S]*?\n {3}```sh\n {3}(.+)\n {3}```$/gm)];

  test('has five numbered steps at its top, each with one line to run', () => {
    expect(steps.map(([, number]) => number)).toEqual(['1', '2', '3', '4', '5']);
    for (const [, , line = ''] of steps) execFileSync('sh', ['-n', '-c', line]);
  });

  test('its second step names the registry in wrangler.toml', () => {
    const folder = mkdtempSync(join(tmpdir(), 'regshift-cloudflare-'));
    try {
      copyFileSync(join(projectRoot, 'wrangler.toml'), join(folder, 'wrangler.toml'));
      execFileSync('sh', ['-c', steps[1]?.[2] ?? 'false'], { cwd: folder });
      expect(varsOf(join(folder, 'wrangler.toml'))).toEqual({
        REGSHIFT_UPSTREAM: 'https://registry.example',
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.each(['README.md', 'deploy/cloudflare.md'])('%s has the Deploy button of this project', (file) => {
    const button = /\(https:\/\/deploy\.workers\.cloudflare\.com\/\?url=([^)]+)\)/g;
    expect([...read(file).matchAll(button)].map(([, url]) => url)).toEqual([projectAddress()]);
  });
});
