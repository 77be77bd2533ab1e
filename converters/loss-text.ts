import { attestationName } from './losses.ts';
import type { Loss, LossKind } from './model.ts';

/** Names of the parts of a manifest, by the key of their list. */
const parts: ReadonlyMap<string | undefined, string> = new Map([
  ['layers', 'layer'],
  ['manifests', 'index entry'],
  ['dependencies', 'part'],
  ['history', 'history entry'],
]);

/** Paths of losses: a part of the manifest, and a member of that part or of its platform. */
const lossPath =
  /^\$(?:\.(config|target)(?=\.(?!history\[)|$)|\.(?:config\.)?(layers|manifests|dependencies|history)\[(\d+)\])?(\.platform)?(?:\.(.+))?$/;

/** The path of content of an index that is an entry of an index. */
const innerPath = /^\$\.manifests\[(\d+)\](\.manifests\[.+)$/;

/**
 * The lost content in words: its name, or its path, like `annotations of layer 2` for `$.layers[1].annotations`. Parts
 * count from 1.
 */
export function lostContent({ path, name }: Loss): string {
  return name ?? wordsOf(path);
}

function wordsOf(path: string): string {
  const [, outer, inner] = innerPath.exec(path) ?? [];
  if (inner !== undefined) return `${wordsOf(`$${inner}`)} of index entry ${Number(outer) + 1}`;
  const [, descriptor, list, at, platform, member] = lossPath.exec(path) ?? [];
  const part =
    list === undefined ? descriptor && `the ${descriptor}` : `${parts.get(list)} ${Number(at) + 1}`;
  if (member === undefined) return part ?? (path === '$' ? 'the manifest' : path);
  return [member, platform && 'the platform', part].filter(Boolean).join(' of ');
}

/** Kinds of fields that no client needs to run an image, though a person who reads "lost" may fear so. */
const unneeded: ReadonlySet<LossKind> = new Set([
  'annotations',
  'subject',
  'artifactType',
  'platform',
  'unknown',
]);

/** A sentence about one loss: the lost content, and the reason. A second one says if the image runs without it. */
export function lossSentence(loss: Loss): string {
  const isField = !loss.name && loss.kind !== 'signatures' && /\.[^.\]]+$/.test(loss.path);
  const subject = `${isField ? 'the field ' : ''}${lostContent(loss)}`;
  const sentence = `${subject.charAt(0).toUpperCase()}${subject.slice(1)} ${loss.reason.replace(/\.$/, '')}.`;
  return unneeded.has(loss.kind) ? `${sentence} The image runs without it.` : sentence;
}

/** Words for the kinds of a summary: a name, or the names of one and of several. */
const kinds: Readonly<Record<LossKind, string | readonly [one: string, several: string]>> = {
  annotations: 'annotations',
  subject: 'the reference to its subject',
  artifactType: 'the artifact type',
  data: 'embedded content',
  urls: 'other URLs of its layers',
  attachments: ['attachment', 'attachments'],
  history: ['history entry', 'history entries'],
  signatures: 'signatures',
  missing: ['image that the registry lacks', 'images that the registry lacks'],
  entries: ['index entry', 'index entries'],
  platform: 'details of platforms',
  unknown: ['unknown field', 'unknown fields'],
};

/** The losses in a few words, by kind, like `annotations, 2 attestations`. */
export function lossSummary(losses: readonly Loss[]): string {
  const byWords = Map.groupBy(losses, ({ kind, name }) =>
    name === attestationName ? attestations : kinds[kind],
  );
  return [...byWords]
    .map(([words, { length }]) =>
      typeof words === 'string' ? words : `${length} ${words[length === 1 ? 0 : 1]}`,
    )
    .join(', ');
}

const attestations = ['attestation', 'attestations'] as const;
