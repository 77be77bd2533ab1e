import { bareMediaType, mediaTypes } from '../../converters/media-types.ts';
import type { ProgramVersions } from './client-rows.ts';
import type { Reason } from './reasons.ts';
import { isInRange, type Version } from './version.ts';

const { schema2, ociManifest, ociIndex, dockerList, schema1, schema1Signed } = mediaTypes;

/** A message about a form (`types`), or about what an image has inside (`reasons`). */
interface Message extends ProgramVersions {
  readonly types?: readonly string[];
  readonly reasons?: readonly Reason[];
  readonly prints: string;
}

/** Messages of clients, seen with these versions; docs/errors.md explains each. */
const messages: readonly Message[] = [
  {
    program: 'docker',
    from: [1, 10, 0],
    before: [18, 6, 0],
    types: [ociManifest, ociIndex],
    prints: 'missing signature key',
  },
  {
    program: 'docker',
    from: [19, 3, 0],
    before: [19, 3, 5],
    types: [ociManifest, ociIndex],
    prints: "mediaType in manifest should be '…' not '…'",
  },
  {
    program: 'docker',
    from: [19, 3, 0],
    reasons: ['untyped'],
    types: [schema2],
    prints: "mediaType in manifest should be '…' not ''",
  },
  {
    program: 'docker',
    from: [19, 3, 0],
    reasons: ['untyped'],
    types: [dockerList],
    prints: "mediaType in manifest list should be '…' not ''",
  },
  {
    program: 'docker',
    from: [1, 6, 0],
    before: [1, 10, 0],
    types: [schema2, ociManifest],
    prints: 'unsupported schema version 2',
  },
  {
    program: 'docker',
    from: [1, 8, 0],
    before: [1, 10, 0],
    types: [dockerList, ociIndex],
    prints: 'no supported platform found in manifest list',
  },
  {
    program: 'docker',
    from: [26, 0, 0],
    types: [schema1, schema1Signed],
    prints: 'Docker Image manifest version 2, schema 1 support is disabled by default',
  },
  {
    program: 'containerd',
    from: [2, 1, 0],
    types: [schema1, schema1Signed],
    // client/pull.go of containerd 2.1 and later.
    prints: `media type "${schema1Signed}" is no longer supported since containerd v2.1, please rebuild the image as …`,
  },
  {
    program: 'containerd',
    from: [2, 0, 0],
    types: [schema1, schema1Signed],
    prints: 'Pulling Schema 1 images have been deprecated and disabled by default since containerd v2.0',
  },
  {
    program: 'docker',
    before: [23, 0, 0],
    reasons: ['zstd-layers', 'zstd-inside'],
    prints: 'archive/tar: invalid tar header',
  },
  { program: 'docker', reasons: ['nested-index'], prints: 'unsupported manifest format' },
  {
    program: 'lambda',
    types: [ociIndex, dockerList],
    prints: 'The image manifest, config or layer media type for the source image … is not supported.',
  },
];

/**
 * The message that a client prints for an image that it cannot read, where it is known.
 * @param version undefined for a program without one.
 * @param isLack whether the client lacks a capability, and reads the form itself.
 */
export function printedMessage(
  { program, version }: { readonly program: string; readonly version: Version | undefined },
  mediaType: string,
  because: Reason,
  isLack: boolean,
): string | undefined {
  const type = bareMediaType(mediaType);
  const isAbout = ({ types, reasons }: Message) =>
    reasons ? reasons.includes(because) && (types?.includes(type) ?? true) : types?.includes(type) && !isLack;
  return messages.find((each) => each.program === program && isInRange(version, each) && isAbout(each))
    ?.prints;
}
