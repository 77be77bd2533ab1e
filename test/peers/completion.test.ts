import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { regshift } from '../support/cli.ts';
import { requirePeers, runProgram } from '../support/programs.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'regshift-completion-'));
  for (const shell of ['bash', 'zsh', 'fish'])
    await writeFile(join(home, shell), (await regshift(['completion', shell])).out);
  await writeFile(join(home, 'manifest.json'), '{}');
  await writeFile(join(home, 'ask.bash'), askBash);
  await writeFile(join(home, 'ask.zsh'), askZsh);
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Calls the function as bash does after Tab, and prints the words that it offers. */
const askBash = `source ./bash
COMP_WORDS=("$@")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_regshift 2> /dev/null
printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** Types a line and Tab into an interactive zsh, in which regshift is a function that prints its arguments. */
const askZsh = `zmodload zsh/zpty
zpty shell "PS1= zsh -f -i"
zpty -w shell 'fpath=($PWD/functions $fpath); autoload -Uz compinit && compinit -D -u; regshift() { print -r -- "<\${(j: :)@}>" }'
zpty -w shell "$2; print ready"
zpty -r shell output '*ready*ready*'
zpty -n -w shell "$1"$'\\t\\n'
zpty -r shell output '*<*>*'
print -r -- "$output"
zpty -d shell
`;

describe.skipIf(requirePeers('bash'))('bash completes', () => {
  test.each<[words: readonly string[], offered: RegExp]>([
    [['ver'], /^verify\nversion$/],
    [['convert', '--to', 'schema'], /^schema1\nschema2$/],
    [['convert', '--to', '=', 'gen'], /^generic$/],
    [['explain', '--for', 'docker-2'], /^docker-20\.10\ndocker-24\ndocker-28$/],
    [['inspect', '--plat'], /^--platform$/],
    [['inspect', '--tls-verify', ''], /^true\nfalse$/],
    [['convert', 'man'], /^manifest\.json$/],
    [['completion', ''], /^bash\nzsh\nfish$/],
    [['help', 'key'], /^keygen$/],
    [['store', ''], /^info\nverify\nprune$/],
    [['store', '--h'], /^--help$/],
    [['store', 'prune', '--by'], /^--bytes$/],
    [['store', 'verify', '--'], /^--format\n--json\n--verbose\n--help$/],
    // The password is free text.
    [['inspect', '--creds', ''], /^$/],
  ])('%j', async (words, offered) => {
    expect(await runProgram('bash', ['--norc', 'ask.bash', 'regshift', ...words], home)).toMatch(offered);
  });
});

describe.skipIf(requirePeers('zsh'))('zsh completes', () => {
  test.each([
    ['vers', 'version'],
    ['convert --to gen', 'convert --to generic'],
    ['convert --to=gen', 'convert --to=generic'],
    ['explain --for docker-24 --pin sch', 'explain --for docker-24 --pin schema'],
    ['inspect --json --plat', 'inspect --json --platform'],
    ['inspect alpine --plat', 'inspect alpine --platform'],
    ['copy alpine registry.example/alpine --as sch', 'copy alpine registry.example/alpine --as schema'],
    ['convert man', 'convert manifest.json'],
    ['completion f', 'completion fish'],
    ['store inf', 'store info'],
    ['store prune --byt', 'store prune --bytes'],
    ['store verify --form', 'store verify --format'],
  ])('%s', async (typed, completed) => {
    expect(await completedBy('source ./zsh', typed)).toBe(completed);
  });

  test('from a folder of fpath, at the first Tab', async () => {
    await mkdir(join(home, 'functions'));
    await copyFile(join(home, 'zsh'), join(home, 'functions/_regshift'));
    expect(await completedBy('true', 'convert --to gen')).toBe('convert --to generic');
  });

  async function completedBy(setup: string, typed: string): Promise<string | undefined> {
    const output = await runProgram('zsh', ['-f', 'ask.zsh', `regshift ${typed}`, setup], home);
    return /<(.*?)=?>/.exec(output)?.[1];
  }
});

describe.skipIf(requirePeers('fish'))('fish completes', () => {
  test.each<[typed: string, offered: readonly string[]]>([
    ['ver', ['verify', 'version']],
    ['convert --to schema', ['schema1', 'schema2']],
    ['convert --to=gen', ['--to=generic']],
    ['explain --for docker-24 --pin sch', ['schema1', 'schema2']],
    ['inspect --plat', ['--platform']],
    ['convert man', ['manifest.json']],
    ['completion f', ['fish']],
    ['store ', ['info', 'prune', 'verify']],
    ['store prune --byt', ['--bytes']],
    ['store verify --', ['--format', '--help', '--json', '--verbose']],
    ['verify --lay', ['--layers']],
    ['inspect ', []],
  ])('%s', async (typed, offered) => {
    const script = `source ./fish; complete -C 'regshift ${typed}'`;
    const output = await runProgram('fish', ['--no-config', '-c', script], home);
    expect(output.split('\n').flatMap((line) => line.split('\t')[0] || [])).toEqual(offered);
  });
});
