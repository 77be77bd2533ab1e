import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder as Kubernetes mounts a secret: files are links through `..data`, which a rename replaces. */
export function secretFolder(first: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  let version = 0;
  const rotate = (files: Readonly<Record<string, string>>) => {
    version += 1;
    mkdirSync(join(folder, `..${version}`));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `..${version}`, name), text);
    symlinkSync(`..${version}`, join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
  };
  rotate(first);
  for (const name of Object.keys(first)) symlinkSync(join('..data', name), join(folder, name));
  return { folder, rotate, path: (name: string) => join(folder, name) };
}
