import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { type PackedFile, root } from './bundle.ts';
import type { ProjectManifest } from './manifest.ts';

const packageDocuments: readonly string[] = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'docs',
  'converters/README.md',
  'deploy/regshift.schema.json',
];

/** The documents of a package that has the program alone. A build of the container has no other. */
export const programDocuments: readonly string[] = ['LICENSE'];

/**
 * Reads the documents of the package. Their links to files outside of it lead to the public address of the project.
 * @param documents their paths in the project: files, and folders without their own folders.
 */
export function packedDocuments(
  project: Pick<ProjectManifest, 'version' | 'repository'>,
  documents = packageDocuments,
): PackedFile[] {
  const paths = documents.flatMap(filesOf);
  const packed: ReadonlySet<string> = new Set(paths);
  return paths.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text: path.endsWith('.md') ? withPublicLinks({ path, text }, packed, project) : text };
  });
}

/** The pictures of the pages, in a folder of `docs`, are for readers of the repository. */
function filesOf(path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  const entries = readdirSync(join(root, path), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [`${path}/${entry.name}`] : []));
}

/** Links of Markdown, by reference too, and of HTML: what comes before the target, and the target. */
const links = /(!?\[[^\]]*\]\(\s*<?|^ {0,3}\[[^\]]+\]:\s*<?|\b(?:href|src)=")([^)\s>"]+)/gm;

/**
 * Replaces the links of a page to files of the project that are not packed. They lead to the tag of this version, which
 * the release has.
 * @param packed the paths of the files in the package.
 */
export function withPublicLinks(
  { path, text }: PackedFile,
  packed: ReadonlySet<string>,
  { version, repository }: Pick<ProjectManifest, 'version' | 'repository'>,
): string {
  const address = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
  return text.replace(links, (link: string, before: string, target: string) => {
    const [file = '', anchor] = target.split('#');
    const own = normalize(join(dirname(path), file));
    if (file === '' || /^[a-z][a-z0-9+.-]*:/i.test(target) || packed.has(own)) return link;
    if (!existsSync(join(root, own))) return link;
    // GitHub has the bytes of a picture at `raw`, files at `blob`, and folders at `tree`.
    const isFolder = statSync(join(root, own)).isDirectory();
    const kind = before.startsWith('!') ? 'raw' : isFolder ? 'tree' : 'blob';
    return `${before}${address}/${kind}/v${version}/${own}${anchor === undefined ? '' : `#${anchor}`}`;
  });
}
