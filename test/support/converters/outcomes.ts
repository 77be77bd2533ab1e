import { convert } from '../../../converters/convert.ts';
import {
  ConversionError,
  type Converted,
  convertToRegistryV1,
  type Form,
  generateSigningKey,
  type LayerFacts,
  type Loss,
  readManifest,
} from '../../../converters/index.ts';
import { readSignedSchema1 } from '../signed-schema1.ts';
import { contextOf, type StoredCase } from './stored-case.ts';

/** Contents of files by name: the golden files of a case, stored or newly made. */
export type Files = ReadonlyMap<string, Uint8Array>;

export const targets = ['schema1', 'schema2', 'oci', 'generic', 'v1'] as const;
export type Target = (typeof targets)[number];

const key = generateSigningKey();
const encoder = new TextEncoder();

/**
 * Converts a case to one form. The result has the manifest (for schema 1 the payload, because signatures are random),
 * the derived configs, the converted manifests of an index, and a summary.
 */
export async function outcomeFiles(stored: StoredCase, target: Target): Promise<Files> {
  const files = new Map<string, Uint8Array>();
  const summary = await summaryOf(stored, target, files).catch((error: unknown) => {
    if (!(error instanceof ConversionError)) throw error;
    const { code, dialect, path, message } = error;
    return { refused: { code, dialect, path, message } };
  });
  files.set(`${target}.summary.json`, encoder.encode(`${JSON.stringify(summary, null, 2)}\n`));
  return files;
}

async function summaryOf(
  stored: StoredCase,
  target: Target,
  files: Map<string, Uint8Array>,
): Promise<object> {
  const bytes = stored.documents.get(stored.root);
  if (!bytes) throw new Error(`${stored.name} has no root`);
  const context = contextOf(stored, () => key);
  const model = readManifest(bytes);
  if (target !== 'v1') return describe(await convert(model, target, context), target, files);
  if (model.kind === 'index') return { refused: 'an index: a platform is chosen first' };
  const { images, losses, blobs } = await convertToRegistryV1(model, context);
  return { images, losses: losses.map(frozenLoss), blobs };
}

function describe(converted: Converted, folder: string, files: Map<string, Uint8Array>): object {
  const { mediaType, digest, losses, children, blobs } = converted;
  files.set(`${folder}.json`, payloadOf(converted));
  return {
    mediaType,
    digest,
    losses: losses.map(frozenLoss),
    blobs: blobs.map((blob) => {
      if (blob.kind === 'layer') return blob;
      files.set(`${folder}/config-${short(blob.digest)}.json`, blob.bytes);
      return { kind: blob.kind, digest: blob.digest };
    }),
    children: children.map((child) => describe(child, `${folder}/manifest-${short(child.digest)}`, files)),
  };
}

/** A loss as the golden files have it: they are older than its `name`. */
function frozenLoss({ kind, path, reason }: Loss): Loss {
  return { kind, path, reason };
}

function payloadOf({ form, body }: { form: Form; body: Uint8Array }): Uint8Array {
  return form === 'schema1' ? readSignedSchema1(body).payload : body;
}

function short(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}

/** The content of `case.json`. The documents of the case are in the same folder. */
export interface CaseFile {
  readonly madeBy: string;
  readonly root: string;
  readonly repository: string;
  readonly tag: string;
  readonly unpackZstd: boolean;
  readonly documents: Readonly<Record<string, string>>;
  readonly layers: Readonly<Record<string, LayerFacts>>;
}

/** The files of the stored side of a case. */
export function storedFiles({ name: _, documents, layers, ...rest }: StoredCase): Files {
  const named = [...documents].map(
    ([digest, bytes]) => [digest, `stored/${short(digest)}.json`, bytes] as const,
  );
  const file: CaseFile = {
    ...rest,
    documents: Object.fromEntries(named.map(([digest, path]) => [digest, path])),
    layers: Object.fromEntries(layers),
  };
  return new Map([
    ['case.json', encoder.encode(`${JSON.stringify(file, null, 2)}\n`)],
    ...named.map(([, path, bytes]) => [path, bytes] as const),
  ]);
}
