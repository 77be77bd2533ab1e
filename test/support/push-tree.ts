import { digestOf } from '../../converters/digest.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import type { Answer, TestApp } from './app.ts';
import { builderShapes } from './builder-shapes.ts';
import { type BuiltRepository, builtRepository } from './built-repository.ts';
import { sampleTree } from './sample-tree.ts';

/** An image or an index with all its content. */
export interface PushTree {
  readonly blobs: readonly Uint8Array[];
  /** Children first; the last one gets the tag. */
  readonly manifests: readonly TreeDocument[];
}

export interface TreeDocument {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** The digest that the client computes. */
  readonly digest: string;
}

const alice = 'Basic YWxpY2U6c2VjcmV0';

export async function treeOfSample(name: string): Promise<PushTree> {
  const { blobs, manifests } = await sampleTree(createSampleRegistry(), name);
  return { blobs: [...blobs.values()], manifests };
}

/** @param shape a name in `builderShapes`. */
export function treeOfShape(shape: string): PushTree {
  const found = builderShapes.find(({ name }) => name === shape);
  if (!found) throw new Error(`there is no shape ${shape}`);
  return builtTree(found.add);
}

/** @param add adds the manifests to a repository, children first. */
export function builtTree(add: (built: BuiltRepository) => unknown): PushTree {
  const built = builtRepository('any/name');
  add(built);
  const manifests = [...built.manifests].map(([digest, document]) => ({ digest, ...document }));
  return { blobs: [...built.blobs.values()], manifests };
}

export const login = { Authorization: alice } as const;

/** Pushes a tree as engines do: HEAD and upload of each blob, then the manifests by digest, the last one by tag. */
export async function pushTree(
  app: TestApp,
  repository: string,
  { blobs, manifests }: PushTree,
  tag = 'latest',
): Promise<Answer[]> {
  for (const blob of blobs) await pushBlob(app, repository, blob);
  const answers: Answer[] = [];
  for (const [index, manifest] of manifests.entries()) {
    const reference = index === manifests.length - 1 ? tag : manifest.digest;
    answers.push(await putManifest(app, repository, reference, manifest));
  }
  return answers;
}

export async function pushBlob(app: TestApp, repository: string, blob: Uint8Array): Promise<void> {
  const digest = digestOf(blob);
  const found = await app.head(`/v2/${repository}/blobs/${digest}`, login);
  if (found.status === 200) return;
  const begun = await app.send('POST', `/v2/${repository}/blobs/uploads/`, login);
  const location = begun.header('Location') ?? '';
  const url = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
  const headers = { ...login, 'Content-Length': String(blob.length) };
  const ended = await app.send('PUT', url, headers, { body: blob });
  if (ended.status !== 201) throw new Error(`upload: ${ended.status} ${ended.text()}`);
}

export function putManifest(
  app: TestApp,
  repository: string,
  reference: string,
  { mediaType, bytes }: Pick<TreeDocument, 'mediaType' | 'bytes'>,
): Promise<Answer> {
  const headers = { ...login, 'Content-Type': mediaType, 'Content-Length': String(bytes.length) };
  return app.send('PUT', `/v2/${repository}/manifests/${reference}`, headers, { body: bytes });
}
