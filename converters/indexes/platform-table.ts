import type { Digest } from '../digest.ts';
import { fetchVerified } from '../fetch.ts';
import {
  asAnyDigest,
  asItems,
  asObject,
  asString,
  type Field,
  optionalString,
  required,
  rootField,
} from '../json/fields.ts';
import { parseJson } from '../json/parse.ts';
import type { Index } from '../model.ts';
import type { Platform } from '../platform.ts';
import type { ConversionPorts } from '../ports.ts';

/**
 * Adds the platforms of a platform table to the entries whose labels state none. The table is the target of a fat
 * generic manifest: an array of `{os, arch, manifestDigest}` (review of proposal 62). If every entry has a platform,
 * the table is not fetched. A target with other content, which a manifest with labels may have, names no platforms.
 * @throws ConversionError when a table is invalid; any error of a port, unchanged.
 */
export async function withPlatformTable(index: Index, ports: ConversionPorts): Promise<Index> {
  const { platformTable, dependencies } = index;
  if (platformTable === undefined || dependencies.every((entry) => entry.platform)) return index;
  const table = readPlatformTable(await fetchVerified(platformTable, ports, 'platform table'));
  return {
    ...index,
    dependencies: dependencies.map((entry) => ({
      ...entry,
      platform: entry.platform ?? table.get(entry.digest),
    })),
  };
}

function readPlatformTable(bytes: Uint8Array): ReadonlyMap<Digest, Platform> {
  if (!/^\s*\[/.test(new TextDecoder().decode(bytes.subarray(0, 256)))) return new Map();
  const document = parseJson(bytes, { what: 'platform table', dialect: 'generic', keys: 'distinct' });
  return new Map(asItems(rootField(document, 'generic')).map(readRow));
}

function readRow(item: Field): readonly [Digest, Platform] {
  const row = asObject(item);
  const platform: Platform = {
    os: asString(required(row, 'os')),
    architecture: optionalString(row, 'arch') ?? asString(required(row, 'architecture')),
    variant: optionalString(row, 'variant'),
  };
  return [asAnyDigest(required(row, 'manifestDigest')) as Digest, platform];
}
