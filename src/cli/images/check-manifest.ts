import { ConversionError } from '../../../converters/errors.ts';
import { fetchConfig, fetchModel } from '../../../converters/fetch.ts';
import { verifySchema1 } from '../../../converters/formats/schema1/verify.ts';
import type { ImageConfig } from '../../../converters/image-config.ts';
import { isBlobEntry } from '../../../converters/indexes/entries.ts';
import { withPlatformTable } from '../../../converters/indexes/platform-table.ts';
import { enterIndex, newTraversal, type Traversal } from '../../../converters/indexes/traversal.ts';
import type { Image, Index, IndexEntry, Layer, Model, V1Target } from '../../../converters/model.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { counted } from '../../counted.ts';
import { RegistryError } from '../../errors.ts';
import { errorText, lostPartOf, serverText } from '../error-text.ts';
import { isOfArtifact } from './artifact.ts';

/** The result of one check. */
export interface Check {
  /** The digest of the manifest, config or layer. */
  readonly digest: string;
  readonly what: string;
  /** undefined if the content is not available, or if there is nothing to compare it with. */
  readonly ok: boolean | undefined;
  /** The finding, in words. */
  readonly detail: string;
}

export interface CheckOptions {
  readonly ports: ConversionPorts;
  /** Downloads and checks layers, too. */
  readonly layers: boolean;
}

/**
 * Checks a parsed manifest and the content that it names.
 * @param traversal the position of the manifest in an index.
 * @throws ConversionError LIMIT for an index that is too large or too deep.
 */
export async function checkManifest(
  model: Model,
  options: CheckOptions,
  traversal = newTraversal(),
): Promise<Check[]> {
  if (model.kind === 'index') return checkIndex(model, options, traversal);
  const { ports, layers } = options;
  const { target } = model;
  const checks = target.kind === 'v1' ? await checkSchema1(model, target) : [];
  const config =
    target.kind === 'v1'
      ? undefined
      : await attempt(configDigest(model), 'config', () => fetchConfig(model, ports));
  if (config && 'ended' in config) checks.push(config.ended);
  if (config && 'value' in config) checks.push(...checkConfig(model, config.value));
  if (layers) {
    const diffIds = config && 'value' in config ? config.value.diffIds : undefined;
    for (const [index, layer] of model.dependencies.entries()) {
      // A generic manifest may list its layers in another order than its config does.
      const diffId = model.source.dialect === 'generic' ? undefined : diffIds?.[index];
      checks.push(await checkLayer(layer, diffId, ports));
    }
  }
  return checks;
}

async function checkIndex(index: Index, options: CheckOptions, traversal: Traversal): Promise<Check[]> {
  const { ports } = options;
  const within = enterIndex(index, traversal);
  const { dependencies } = await withPlatformTable(index, ports);
  const checks: Check[] = [];
  for (const entry of dependencies) {
    const { digest } = entry;
    if (isBlobEntry(entry)) {
      checks.push({ digest, what: 'blob', ok: undefined, detail: 'part of a build cache, and no manifest' });
      continue;
    }
    const child = await attempt(digest, 'manifest', () => fetchModel(entry, ports), { entry });
    if ('ended' in child) checks.push(child.ended);
    else {
      checks.push({ digest, what: 'manifest', ok: true, detail: 'matches its digest' });
      checks.push(...(await checkManifest(child.value, options, within)));
    }
  }
  return checks;
}

/** Checks the signatures of schema 1. `readManifest` has checked the chain of ids. */
async function checkSchema1(image: Image, target: V1Target): Promise<Check[]> {
  const { digest } = image.source;
  const ids = {
    digest,
    what: 'ids',
    ok: true,
    detail: idsText(target.entries.length),
  };
  if (target.signatures.length === 0) {
    return [{ digest, what: 'signature', ok: undefined, detail: 'the manifest has no signature' }, ids];
  }
  const signatures = target.signatures.map(async (signature): Promise<Check> => {
    const { key, algorithm } = signature;
    const signer =
      key.kind === 'jwk' ? `the key ${key.keyId ?? 'without an id'}` : 'the key of a certificate';
    const alone: Image = { ...image, target: { ...target, signatures: [signature] } };
    const checked = await attempt(digest, 'signature', () => verifySchema1(alone));
    if ('ended' in checked) return { ...checked.ended, detail: `${signer}: ${checked.ended.detail}` };
    return { digest, what: 'signature', ok: true, detail: `${algorithm} by ${signer}` };
  });
  return [...(await Promise.all(signatures)), ids];
}

function idsText(count: number): string {
  return count === 1 ? '1 v1 image' : `${count} v1 images, each with the next one as its parent`;
}

/** The digest of the document that has the config. */
function configDigest({ target, source }: Image): string {
  return target.kind === 'config' ? target.descriptor.digest : source.digest;
}

function checkConfig(image: Image, { diffIds, history }: ImageConfig): Check[] {
  const digest = configDigest(image);
  const layers = image.dependencies.length;
  const checks: Check[] = [{ digest, what: 'config', ok: true, detail: 'matches its digest' }];
  if (diffIds) checks.push(checkCount(digest, 'diff_ids', diffIds.length, layers));
  const filled = history?.filter(({ emptyLayer }) => !emptyLayer).length ?? 0;
  if (filled > 0) checks.push(checkCount(digest, 'history', filled, layers));
  return checks;
}

function checkCount(digest: string, what: string, count: number, layers: number): Check {
  const detail = `${counted(count, 'entry', 'entries')} for ${counted(layers, 'layer')}`;
  return { digest, what, ok: count === layers, detail };
}

async function checkLayer(layer: Layer, diffId: string | undefined, ports: ConversionPorts): Promise<Check> {
  const { digest, size, foreign } = layer;
  const read = await attempt(digest, 'layer', () => ports.layerFacts(layer), { foreign });
  if ('ended' in read) return read.ended;
  const { packedSize: compressedSize, diffId: found, compression } = read.value;
  const result = (ok: boolean, detail: string): Check => ({ digest, what: 'layer', ok, detail });
  if (size !== undefined && size !== compressedSize) {
    return result(false, `has ${compressedSize} bytes, but the manifest says ${size}`);
  }
  if (diffId !== undefined && diffId !== found) {
    return result(false, `has the diff_id ${found}, but the config says ${diffId}`);
  }
  return result(true, `matches its digest: ${compressedSize} bytes, ${compression}`);
}

type Attempt<Value> = { readonly value: Value } | { readonly ended: Check };

interface Subject {
  /** The entry of an index that names the document, which may be no image. */
  readonly entry?: Pick<IndexEntry, 'mediaType' | 'attestation'>;
  /** Whether registries do not store the layer, as those of images for Windows. */
  readonly foreign?: boolean;
}

/**
 * Runs a check. Content that a file store lacks counts as not checked; a config or a layer that a registry lacks counts
 * as wrong. A registry may have an index without all of its images.
 */
async function attempt<Value>(
  digest: string,
  what: string,
  work: () => Promise<Value>,
  { entry, foreign = false }: Subject = {},
): Promise<Attempt<Value>> {
  try {
    return { value: await work() };
  } catch (error) {
    const end = (ok: boolean | undefined, detail: string) => ({ ended: { digest, what, ok, detail } });
    // The digest is checked before the content is parsed.
    if (isOfArtifact(error, entry?.mediaType ?? '')) {
      return end(true, documentText(entry?.attestation ? 'an attestation' : undefined));
    }
    const lost = lostPartOf(error);
    if (lost && !foreign) return end(false, errorText(lost));
    if (error instanceof ConversionError) {
      const ok = error.code === 'UNAVAILABLE' ? undefined : false;
      return end(ok, serverText(error.message, 'registry'));
    }
    if (error instanceof RegistryError && faults.has(error.code)) return end(false, errorText(error));
    throw error;
  }
}

/**
 * The finding for a document whose bytes are right, and which names no layers of an image to check.
 * @param content the kind of the document.
 */
export function documentText(content = 'no container image'): string {
  return `matches its digest; config and layers not checked, because it is ${content}`;
}

/** Error codes that mean that the registry's content is missing or broken. */
const faults: ReadonlySet<string> = new Set(['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'UPSTREAM_CONTENT']);
