import type { Labels } from '../../annotations.ts';
import { type Digest, isDigest } from '../../digest.ts';
import type { RawObject } from '../../json/document.ts';
import {
  asAnyDigest,
  asObject,
  asStrings,
  type Field,
  optional,
  optionalString,
  refuseLookAlikes,
} from '../../json/fields.ts';
import { imageConfigTypes } from '../../media-types.ts';
import type { Descriptor, Index, IndexEntry } from '../../model.ts';
import type { Platform } from '../../platform.ts';
import { readDescriptor, readGenericDescriptor } from './descriptor.ts';

/**
 * Reads the entries of an index. An entry whose digest is of an unknown algorithm names nothing that can be verified:
 * only it is unusable.
 * @param read the reader of one entry. @throws ConversionError INVALID or AMBIGUOUS.
 */
export function readEntries(
  items: readonly Field[],
  read: (item: Field) => IndexEntry,
): Pick<Index, 'dependencies' | 'unusable'> {
  const entries = items.map(read);
  return {
    dependencies: entries.filter(({ digest }) => isDigest(digest)),
    unusable: entries.flatMap(({ digest, field }) => (isDigest(digest) || !field ? [] : field)),
  };
}

/** The digest of an entry, before `readEntries` sets those of unknown algorithms apart. */
const asEntryDigest = (field: Field) => asAnyDigest(field) as Digest;

/** Reads an entry of a manifest list or an OCI index. @throws ConversionError INVALID or AMBIGUOUS. */
export function readIndexEntry(field: Field): IndexEntry {
  const object = asObject(field);
  const platform = optional(object, 'platform');
  return entryOf(
    readDescriptor(field, asEntryDigest),
    platform && readPlatform(asObject(platform)),
    optionalString(object, 'artifactType'),
  );
}

/**
 * Reads a dependency of a fat generic manifest. Its labels state the platform: `os` and `arch` in proposal 62; the
 * longer names of other dialects also occur.
 * @throws ConversionError INVALID or AMBIGUOUS.
 */
export function readFatEntry(field: Field): IndexEntry {
  const descriptor = readGenericDescriptor(field, asEntryDigest);
  const platform = labelledPlatform(descriptor.labels);
  const labels = platform ? withoutPlatform(descriptor.labels) : descriptor.labels;
  return entryOf({ ...descriptor, labels }, platform, undefined);
}

/** The labels without those that state the platform, which the model has in `platform`. */
function withoutPlatform(labels: Labels): Labels {
  return new Map([...labels].filter(([key]) => key !== 'arch' && !platformKeys.has(key)));
}

function entryOf(
  descriptor: Descriptor,
  platform: Platform | undefined,
  artifactType: string | undefined,
): IndexEntry {
  return {
    ...descriptor,
    platform,
    // Go writes and reads an empty artifactType as none.
    artifactType: artifactType || undefined,
    attestation: isAttestation(descriptor, platform),
  };
}

const platformKeys: ReadonlySet<string> = new Set([
  ...['os', 'architecture', 'variant', 'os.version', 'os.features'],
]);

function readPlatform(object: Field<RawObject>): Platform | undefined {
  refuseLookAlikes(object, platformKeys);
  const os = optionalString(object, 'os');
  const architecture = optionalString(object, 'architecture');
  if (!os || !architecture) return undefined;
  const features = optional(object, 'os.features');
  return {
    os,
    architecture,
    variant: optionalString(object, 'variant'),
    osVersion: optionalString(object, 'os.version'),
    osFeatures: features && asStrings(features),
  };
}

function labelledPlatform(labels: Labels): Platform | undefined {
  const os = labels.get('os')?.text;
  const architecture = (labels.get('arch') ?? labels.get('architecture'))?.text;
  if (!os || !architecture) return undefined;
  const features = labels.get('os.features')?.text.split(',');
  return {
    os,
    architecture,
    variant: labels.get('variant')?.text,
    osVersion: labels.get('os.version')?.text,
    osFeatures: features,
  };
}

/** BuildKit marks attestations in both ways (buildkit, docs/attestations/attestation-storage.md). */
function isAttestation(descriptor: Descriptor, platform: Platform | undefined): boolean {
  if (descriptor.labels.get('vnd.docker.reference.type')?.text === 'attestation-manifest') return true;
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

/** An entry that says it is no image; one that names an image's config for its type says that it is. */
export function isArtifact({ artifactType }: IndexEntry): boolean {
  return artifactType !== undefined && !imageConfigTypes.includes(artifactType);
}
