import { ConversionError } from '../../../converters/errors.ts';
import { fetchConfig, fetchModel } from '../../../converters/fetch.ts';
import { verifySchema1 } from '../../../converters/formats/schema1/verify.ts';
import type { ImageConfig } from '../../../converters/image-config.ts';
import { withPlatformTable } from '../../../converters/indexes/platform-table.ts';
import type { Image, Index, Layer, Model, V1Target } from '../../../converters/model.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { RegistryError } from '../../errors.ts';

/** One thing that was looked at. */
export interface Check {
  /** The manifest, config or layer. */
  readonly digest: string;
  readonly what: string;
  /** undefined: it could not be looked at, or there is nothing to hold it to. */
  readonly ok: boolean | undefined;
  /** What was found. */
  readonly detail: string;
}

/** Checks a manifest that was read, and all that it names. @param layers whether layers are read too. */
export async function checkManifest(model: Model, ports: ConversionPorts, layers: boolean): Promise<Check[]> {
  if (model.kind === 'index') return checkIndex(model, ports, layers);
  const { target } = model;
  const checks = target.kind === 'v1' ? await checkSchema1(model, target) : [];
  const config =
    target.kind === 'v1'
      ? undefined
      : await attempt(model.source.digest, 'config', () => fetchConfig(model, ports));
  if (config && 'ended' in config) checks.push(config.ended);
  if (config && 'value' in config) checks.push(...checkConfig(model, config.value));
  if (layers) {
    const diffIds = config && 'value' in config ? config.value.diffIds : undefined;
    for (const [index, layer] of model.dependencies.entries()) {
      // The layers of a generic manifest may stand in another order than those of its config.
      const diffId = model.source.dialect === 'generic' ? undefined : diffIds?.[index];
      checks.push(await checkLayer(layer, diffId, ports));
    }
  }
  return checks;
}

async function checkIndex(index: Index, ports: ConversionPorts, layers: boolean): Promise<Check[]> {
  const { dependencies } = await withPlatformTable(index, ports);
  const checks: Check[] = [];
  for (const entry of dependencies) {
    const { digest } = entry;
    const child = await attempt(digest, 'manifest', () => fetchModel(entry, ports));
    if ('ended' in child) checks.push(child.ended);
    else {
      checks.push({ digest, what: 'manifest', ok: true, detail: 'is what its digest says' });
      checks.push(...(await checkManifest(child.value, ports, layers)));
    }
  }
  return checks;
}

/** The chain of ids was checked when the manifest was read. */
async function checkSchema1(image: Image, target: V1Target): Promise<Check[]> {
  const { digest } = image.source;
  const ids = {
    digest,
    what: 'ids',
    ok: true,
    detail: `${target.entries.length} v1 images, each on the one below it`,
  };
  if (target.signatures.length === 0) {
    return [{ digest, what: 'signature', ok: undefined, detail: 'there is none' }, ids];
  }
  const signatures = target.signatures.map(async (signature): Promise<Check> => {
    const { key, algorithm } = signature;
    const whose = key.kind === 'jwk' ? `the key ${key.keyId ?? 'without an id'}` : 'the key of a certificate';
    const alone: Image = { ...image, target: { ...target, signatures: [signature] } };
    const checked = await attempt(digest, 'signature', () => verifySchema1(alone));
    if ('ended' in checked) return { ...checked.ended, detail: `${whose}: ${checked.ended.detail}` };
    return { digest, what: 'signature', ok: true, detail: `${algorithm} by ${whose}` };
  });
  return [...(await Promise.all(signatures)), ids];
}

function checkConfig(image: Image, { diffIds, history }: ImageConfig): Check[] {
  const digest = image.target.kind === 'config' ? image.target.descriptor.digest : image.source.digest;
  const layers = image.dependencies.length;
  const checks: Check[] = [{ digest, what: 'config', ok: true, detail: 'is what its digest says' }];
  if (diffIds) checks.push(counted(digest, 'diff_ids', diffIds.length, layers));
  // An image without a history has none that could be wrong.
  const filled = history?.filter(({ emptyLayer }) => !emptyLayer).length ?? 0;
  if (filled > 0) checks.push(counted(digest, 'history', filled, layers));
  return checks;
}

function counted(digest: string, what: string, count: number, layers: number): Check {
  return { digest, what, ok: count === layers, detail: `tells of ${count} layers, and there are ${layers}` };
}

async function checkLayer(layer: Layer, diffId: string | undefined, ports: ConversionPorts): Promise<Check> {
  const { digest, size } = layer;
  const read = await attempt(digest, 'layer', () => ports.layerFacts(layer));
  if ('ended' in read) return read.ended;
  const { packedSize: compressedSize, diffId: found, compression } = read.value;
  if (size !== undefined && size !== compressedSize) {
    return {
      digest,
      what: 'layer',
      ok: false,
      detail: `has ${compressedSize} bytes, and the manifest says ${size}`,
    };
  }
  if (diffId !== undefined && diffId !== found) {
    return {
      digest,
      what: 'layer',
      ok: false,
      detail: `is ${found} unpacked, and the config says ${diffId}`,
    };
  }
  return {
    digest,
    what: 'layer',
    ok: true,
    detail: `is what its digest says: ${compressedSize} bytes, ${compression}`,
  };
}

type Attempt<Value> = { readonly value: Value } | { readonly ended: Check };

/** What is not at hand was not checked; a registry that does not have it is at fault. */
async function attempt<Value>(
  digest: string,
  what: string,
  work: () => Promise<Value>,
): Promise<Attempt<Value>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof ConversionError && error.code === 'NOT_AN_IMAGE') {
      // Its digest was looked at first.
      return { ended: { digest, what, ok: true, detail: `is what its digest says. ${error.message}` } };
    }
    if (error instanceof ConversionError) {
      return {
        ended: { digest, what, ok: error.code === 'UNAVAILABLE' ? undefined : false, detail: error.message },
      };
    }
    if (error instanceof RegistryError && faults.has(error.code)) {
      return { ended: { digest, what, ok: false, detail: error.message } };
    }
    throw error;
  }
}

const faults: ReadonlySet<string> = new Set(['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'UPSTREAM_CONTENT']);
