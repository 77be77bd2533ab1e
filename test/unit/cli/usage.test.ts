import { describe, expect, it, test } from 'vitest';
import { version } from '../../../src/version.ts';
import { regshift } from '../../support/cli.ts';

const commands = [
  ...['serve', 'check-config', 'keygen', 'warm', 'store'],
  ...['convert', 'inspect', 'explain', 'verify', 'copy', 'save'],
  ...['check', 'version', 'completion'],
];

describe('regshift', () => {
  it('prints its version, and nothing else', async () => {
    expect(await regshift(['--version'])).toMatchObject({ code: 0, out: `${version}\n`, err: '' });
  });

  it('lists its commands', async () => {
    const { code, out } = await regshift(['--help']);
    expect(code).toBe(0);
    const listed = [...out.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name);
    expect(listed).toEqual([...commands, 'help']);
  });

  test.each(commands)('%s --help has an example of the command', async (command) => {
    const { code, out, err } = await regshift([command, '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`Example:\n  (?:REGSHIFT_\\w+=\\S+ )?regshift ${command}\\b`));
  });
});

describe('help texts', () => {
  test.each([[], ...commands.map((command) => [command])])('%s: at most 80 columns', async (...argv) => {
    const { out } = await regshift([...argv, '--help']);
    expect(out.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
  });

  test.each([...commands, 'store info', 'store verify', 'store prune'])(
    '%s: a sentence says first what the command does',
    async (command) => {
      const { out } = await regshift([...command.split(' '), '--help']);
      expect(out).toMatch(/^Usage: [^\n]+\n\n[A-Z][a-z]+s /);
    },
  );

  test('name defaults and choices as they are typed', async () => {
    const { out } = await regshift(['warm', '--help']);
    expect(out.replace(/\s+/g, ' ')).toContain('(default: http://127.0.0.1:8080/)');
    expect((await regshift(['keygen', '--help'])).out).toContain('(one of jwk, pem; default: pem)');
  });
});

test.each([
  [
    ['warm', 'x', '--proxy', 'http://me:secret@proxy.example'],
    "argument 'http://…@proxy.example' is invalid",
  ],
  [['warm', 'x', '--proxy', 'http://me:se/secret@proxy.example'], "argument 'http://…@proxy.example' is"],
  [['warm', 'x', '--proxy', "http://me:a 'secret@proxy.example"], "argument 'http://…@proxy.example' is"],
  [['copy', 'x', 'y', '--dest-creds=me:secret'], "error: unknown option '--dest-creds=…'\n"],
  [['inspect', 'x', `http://y/z@sha256:1`], 'but got 2: x, http://y/z@sha256:1.'],
])('%j: no login is printed', async (argv, why) => {
  const { code, err } = await regshift(argv);
  expect({ code, secret: err.includes('secret') }).toEqual({ code: 2, secret: false });
  expect(err).toContain(why);
});

test('a wrong login is not printed', async () => {
  const creds = await regshift(['inspect', 'x', '--creds', 'secret']);
  expect(creds.code).toBe(2);
  expect(creds.err).toBe(
    'regshift: --creds must be a user and a password with a colon between them: user:password.\n',
  );
});

describe('wrong usage: exit code 2, and the reason on standard error only', () => {
  test.each<[argv: readonly string[], why: RegExp]>([
    [[], /Usage: regshift/],
    [['bla'], /unknown command 'bla'/],
    [['inspec', 'x'], /Did you mean inspect\?/],
    [['serve', '--port', 'http'], /It must be a port/],
    [['inspect', 'x', '--format', '{{range .a}}'], /The template is wrong: a range or if has no {{end}}/],
    [['inspect'], /missing required argument 'image'/],
    [['inspect', 'x', '--raw', '--json'], /option '--raw' cannot be used with option '--json'/],
    [
      ['explain', 'x', '--raw', '--format', 'json'],
      /option '--raw' cannot be used with option '-f, --format <template>'/,
    ],
    [['inspect', 'a', 'b'], /too many arguments/],
    [['inspect', 'Upper/Case'], /"Upper\/Case" is not an image name\. It must be host\/name:tag/],
    [
      ['warm', '127.0.0.1:8080/sample/oci:1.0', '--for', 'docker-1.13'],
      /is not an image name\. It must be name:tag or name@sha256:…, in lower case and without a host\./,
    ],
    [
      ['warm', '--for', 'docker-1.13', 'a'],
      /--for takes all words behind it\. Write the image before --for\./,
    ],
    [['explain', '--accept', 'x/y', 'a'], /Write the image before --accept\./],
    [['inspect', 'x@sha256:1'], /has no valid digest after the @/],
    [['inspect', 'x:!'], /has no valid tag after the colon/],
    [['inspect', 'x', '--platform', 'linux'], /It must be os\/architecture/],
    [['convert', 'x', '--to', 'gif'], /Allowed choices are schema1, schema2, oci, generic, list, index, v1/],
    [['convert', 'x'], /required option '--to <form>' not specified/],
    [['convert', 'x', '--to', 'oci', '--json'], /Use --out/],
    // The versions of Docker went from 1.13 to 17.03.
    [['explain', 'x', '--for', 'docker-9.9'], /docker-9\.9 is not a known client\./],
    [['save', 'x', '--for', 'docker-2', '-o', 'x.tar'], /docker-2 is not a known client\./],
    [['check', 'x', '--clients', 'docker-16.0'], /docker-16\.0 is not a known client\./],
    // Each was taken for Docker 1.9.
    [
      ['explain', 'x', '--for', 'docker-1.9xyz'],
      /docker-1\.9xyz is not a known client\. Did you mean docker/,
    ],
    [['save', 'x', '--for', 'docker-1.9,docker-1.13'], /docker-1\.9,docker-1\.13 is not a known client\./],
    [['check', 'x', '--clients', 'docker-1.9;podman-4'], /docker-1\.9;podman-4 is not a known client\./],
    [
      ['explain', 'x', '--for', 'netscape-4'],
      /netscape-4 is not a known client\. Known clients: docker-1\.5, /,
    ],
    [['explain', 'x', '--for', 'docker-24', '--accept', '*/*'], /Use either --for, or --accept/],
    [['explain', 'x', '--pin', 'v1'], /Allowed choices are auto, /],
    [['keygen', '--format', 'der'], /Allowed choices are jwk, pem/],
    [['warm', 'x'], /use either --for, like --for docker-1\.13, or --all-clients/],
    [['warm', 'x', '--for', 'docker-24', '--all-clients'], /use either --for/],
    [['warm', 'x', '--all-clients', '--proxy', 'ftp://x'], /It must begin with http/],
    [['warm', 'x', '--all-clients', '--wait', 'long'], /number of seconds/],
  ])('%j', async (argv, why) => {
    const { code, out, err } = await regshift(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(why);
    expect(err).not.toMatch(/^ +at /m);
  });
});

describe('empty values, as of shell variables that are not set', () => {
  test.each([
    ['serve', '--upstream', ''],
    ['serve', '--host='],
    ['keygen', '--out', ''],
    ['check', 'x', '--clients', ''],
    ['check', 'x', '--clients', ' , '],
    ['warm', 'x', '--for', 'docker-24', ''],
    ['save', 'x', '--for', 'podman', '-o', ''],
    ['inspect', 'x', '--ca', ''],
    ['check-config', '--format', ''],
    ['convert', 'x', '--to', 'oci', '--from', ''],
    ['copy', 'x', 'y', '--to-creds', ''],
  ])('%s %s %s', async (...argv) => {
    const { code, out, err } = await regshift(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^error: option '.*' is invalid\. It must (?:not be empty|have a name)/);
  });
});

describe('a short option takes its value after = as in Docker and crane', () => {
  test.each([
    ['-f={{.valid}}', 'true\n'],
    ['-f{{.valid}}', 'true\n'],
    ['--format={{.valid}}', 'true\n'],
    ['--format=={{.valid}}', '=true\n'],
  ])('%s', async (option, out) => {
    expect(await regshift(['check-config', option])).toMatchObject({ code: 0, out, err: '' });
  });

  test('no word behind -- is an option', async () => {
    const { err } = await regshift(['inspect', '--', '-f=x']);
    expect(err).toContain('"-f=x" is not an image name');
  });
});

describe('names that are spelt wrong', () => {
  test.each([
    [['explain', 'x', '--for', 'dokcer-1.13'], 'Did you mean docker-1.13?'],
    [['explain', 'x', '--for', 'dokcer'], 'Did you mean docker?'],
    [['explain', 'x', '--for', 'Docker-24'], 'Did you mean docker-24?'],
    [['explain', 'x', '--for', 'docker-0.1'], 'Did you mean docker?'],
    [['explain', 'x', '--for', 'docker/1.13.1'], 'Did you mean docker-1.13.1?'],
    [['explain', 'x', '--for', 'docker 1.13'], 'Did you mean docker-1.13?'],
    [['explain', 'x', '--for', 'docker-v18.09'], 'Did you mean docker-18.09?'],
    [['explain', 'x', '--for', 'containerd2'], 'Did you mean containerd-2?'],
    [['save', 'x', '--for', 'podmn-4', '-o', 'x'], 'Did you mean podman-4?'],
    [['warm', 'x', '--for', 'crn-o'], 'Did you mean cri-o?'],
    [['check', 'x', '--clients', 'lamda'], 'Did you mean lambda?'],
    [['inspec', 'x'], 'Did you mean inspect?'],
    [['help', 'inspec'], 'Did you mean inspect?'],
    [['store', 'inof'], 'Did you mean info?'],
    [['help', 'store', 'inof'], 'Did you mean info?'],
    [['inspect', 'x', '--plain-htp'], 'Did you mean --plain-http?'],
    [['store', 'prune', '--byte', '1'], 'Did you mean --bytes?'],
  ])('%j', async (argv, hint) => {
    const { code, out, err } = await regshift(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(hint);
  });

  test('a word that is like no client has no hint', async () => {
    expect((await regshift(['explain', 'x', '--for', 'netscape-4'])).err).not.toContain('Did you mean');
  });
});

describe('habits of other programs', () => {
  test.each([
    [['digest', 'alpine'], "Use regshift inspect <image> --format '{{.stored.digest}}'."],
    [['cp', 'a', 'b'], 'Use regshift copy.'],
    [['login', 'ghcr.io'], 'Use docker login or podman login'],
    [['--debug', 'inspect', 'alpine'], 'Options stand after the command'],
    [['inspect', 'oci:./layout'], 'is not in a registry'],
    [['inspect', 'docker-daemon:/app'], 'is not in a registry'],
  ])('%j: says what to use', async (argv, hint) => {
    const { code, out, err } = await regshift(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(hint);
  });

  test('no hint beside other errors', async () => {
    expect((await regshift(['bla'])).err).toBe("error: unknown command 'bla'\n(see --help)\n");
    expect((await regshift(['inspect', 'x', '--bla'])).err).toBe(
      "error: unknown option '--bla'\n(see --help)\n",
    );
  });
});

describe('errors on standard error', () => {
  const wrong = [
    ['explain', 'x', '--for', 'netscape-4'],
    ['convert', 'x', '--to', 'oci', '--json'],
    ['inspect', 'x', '--format', '{{a.b}}'],
    ['inspect', '127.0.0.1:1/x'],
  ];

  test.each(wrong)('%s %s %s %s: are wrapped between words on a terminal', async (...argv) => {
    const [whole, at40] = [await regshift(argv), await regshift(argv, { terminal: 40 })];
    const lines = at40.err.trimEnd().split('\n');
    expect(lines.filter((line) => line.length > 40 && line.includes(' '))).toEqual([]);
    expect(lines.length).toBeGreaterThan(whole.err.trimEnd().split('\n').length);
    expect(at40.err.replace(/\s+/g, ' ')).toBe(whole.err.replace(/\s+/g, ' '));
  });

  test('are whole lines elsewhere', async () => {
    const { err } = await regshift(wrong[0] ?? []);
    expect(err.trimEnd()).not.toContain('\n');
    expect(err.length).toBeGreaterThan(200);
  });
});

describe('a failed command: exit code 1, and the reason in plain words', () => {
  test.each<[argv: readonly string[], why: RegExp]>([
    [['convert', 'no-such-file', '--to', 'oci'], /no-such-file: no such file or folder/],
    [['verify', './no-such-file'], /no such file or folder/],
    [['convert', '.', '--to', 'oci'], /a file is needed/],
    // Nothing listens on port 1.
    [['inspect', '127.0.0.1:1/x'], /HEAD to 127\.0\.0\.1:1 failed \(ECONNREFUSED: nothing listens there/],
  ])('%j', async (argv, why) => {
    const { code, out, err } = await regshift(argv);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(why);
    expect(err).not.toMatch(/^ +at /m);
  });
});
