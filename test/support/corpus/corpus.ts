import { readdirSync, readFileSync } from 'node:fs';
import { type BuiltDescriptor, type BuiltRepository, builtRepository } from '../built-repository.ts';
import type { CapturedFile, CapturedImage } from './captured.ts';
import { artifacts } from './described/artifacts.ts';
import { builders } from './described/builders.ts';
import { buildkit } from './described/buildkit.ts';
import { kubernetes } from './described/kubernetes.ts';
import { lazyLayers } from './described/lazy-layers.ts';
import { oldDocker } from './described/old-docker.ts';
import { packages } from './described/packages.ts';
import { platforms } from './described/platforms.ts';
import { scanners } from './described/scanners.ts';
import { signaturesAndModels } from './described/signatures-and-models.ts';
import { wasm } from './described/wasm.ts';
import type { DescribedTool } from './described-tool.ts';

/** An image, index or artifact in the form that a public tool writes. */
export interface CorpusImage {
  readonly tool: string;
  readonly name: string;
  /** Where the form comes from: the address of a description, or the commands that were run and their version. */
  readonly source: string;
  /** The day of that description or run. */
  readonly date: string;
  /** The repository that has the image as `latest`. */
  readonly repository: string;
  /** The content, and what the tag names. */
  readonly built: BuiltRepository;
  readonly root: BuiltDescriptor;
}

/** The repository of an image: names of repositories have no spaces and no capital letters. */
const repositoryOf = (...names: readonly string[]) =>
  ['corpus', ...names]
    .map((name) =>
      name
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-')
        .replaceAll(/^-|-$/g, ''),
    )
    .join('/');

const folder = new URL('../../corpus/captured/', import.meta.url);

function captured(file: CapturedFile, { name, ran, manifests }: CapturedImage): CorpusImage {
  const repository = repositoryOf(file.tool, name);
  const built = builtRepository(repository);
  let root: BuiltDescriptor | undefined;
  for (const { mediaType, digest, text } of manifests) {
    root = built.manifest(mediaType, new TextEncoder().encode(text), digest);
  }
  if (!root) throw new Error(`${file.tool} ${name} has no manifest`);
  for (const [digest, blob] of Object.entries(file.blobs)) {
    const bytes = 'text' in blob ? new TextEncoder().encode(blob.text) : Buffer.from(blob.base64, 'base64');
    built.blob('', bytes, digest);
  }
  const source = `ran: ${ran} (${file.version})`;
  return { tool: file.tool, name, source, date: file.date, repository, built, root };
}

async function described({ tool, source, date, images }: DescribedTool): Promise<CorpusImage[]> {
  return Promise.all(
    Object.entries(images).map(async ([name, make]) => {
      const repository = repositoryOf(tool, name);
      const built = builtRepository(repository);
      return { tool, name, source, date, repository, built, root: await make(built) };
    }),
  );
}

/** All images of the corpus, in the order of their tools. */
export async function corpus(): Promise<CorpusImage[]> {
  const files = readdirSync(folder).sort();
  const ran = files.flatMap((name) => {
    const file = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as CapturedFile;
    return file.images.map((each) => captured(file, each));
  });
  const tools = [
    ...[builders, buildkit, platforms, lazyLayers, oldDocker],
    ...[artifacts, wasm, kubernetes, packages, scanners, signaturesAndModels],
  ].flat();
  return [...ran, ...(await Promise.all(tools.map(described))).flat()];
}
