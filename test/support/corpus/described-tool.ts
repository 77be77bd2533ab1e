import { digestOf, mediaTypes } from '../../../converters/index.ts';
import {
  type BuiltDescriptor,
  type BuiltRepository,
  compressedFor,
  json,
  layerWith,
} from '../built-repository.ts';

/** Adds an image, index or artifact to a repository. @returns what the tag names. */
export type Make = (built: BuiltRepository) => BuiltDescriptor | Promise<BuiltDescriptor>;

/** Images in the shapes of a tool, made from its public description. */
export interface DescribedTool {
  readonly tool: string;
  /** The page or source file that describes what the tool writes. */
  readonly source: string;
  /** The day when `source` was the description. */
  readonly date: string;
  readonly images: Readonly<Record<string, Make>>;
}

type Members = object | ((built: BuiltRepository) => object | Promise<object>);

const membersOf = async (members: Members, built: BuiltRepository): Promise<object> =>
  typeof members === 'function' ? members(built) : members;

/** The parts of an image that differ between tools. */
export interface ImageMore {
  /** Docker's media types instead of those of OCI. */
  readonly docker?: boolean;
  /** The manifest has no `mediaType`. */
  readonly untyped?: boolean;
  readonly configType?: string;
  readonly layerType?: string;
  /** The files, one for each layer. */
  readonly files?: readonly string[];
  /** More members of each layer's descriptor. */
  readonly layer?: object;
  /** Compresses a layer in another way than its media type states. */
  readonly compress?: (tar: Uint8Array) => Uint8Array;
  /** More members of the manifest, or other ones. */
  readonly manifest?: Members;
  /** The indent of the manifest. */
  readonly indent?: number;
}

/** An image. @param config all members of the config but `rootfs`, which comes last. */
export const image =
  (config: object, more: ImageMore = {}): Make =>
  async (built) => {
    const { docker = false, files = ['base', 'top'] } = more;
    const layerType = more.layerType ?? (docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip);
    const configType = more.configType ?? (docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig);
    const mediaType = docker ? mediaTypes.schema2 : mediaTypes.ociManifest;
    const tars = files.map(layerWith);
    const rootfs = { type: 'layers', diff_ids: tars.map(({ diffId }) => diffId) };
    const layers = tars.map(({ tar }) => ({
      ...built.blob(layerType, more.compress?.(tar) ?? compressedFor(layerType, tar)),
      ...more.layer,
    }));
    const document = {
      schemaVersion: 2,
      ...(more.untyped ? {} : { mediaType }),
      config: built.blob(configType, json({ rootfs, ...config })),
      layers,
      ...(await membersOf(more.manifest ?? {}, built)),
    };
    return built.manifest(mediaType, new TextEncoder().encode(JSON.stringify(document, null, more.indent)));
  };

/** A layer of an artifact: its type, its text, and more members of its descriptor. */
export type ArtifactLayer = readonly [type: string, text: string, members?: object];

/** An artifact in an OCI manifest. @param config its type, its JSON, and more members of its descriptor. */
export const artifact =
  (
    [configType, config, configMembers]: readonly [type: string, config: object, members?: object],
    layers: readonly ArtifactLayer[],
    manifest: Members = {},
    mediaType: string = mediaTypes.ociManifest,
  ): Make =>
  async (built) => {
    const descriptors = layers.map(([type, text, members]) => ({
      ...built.blob(type, new TextEncoder().encode(text)),
      ...members,
    }));
    return built.manifest(mediaType, {
      schemaVersion: 2,
      mediaType,
      config: { ...built.blob(configType, json(config)), ...configMembers },
      layers: descriptors,
      ...(await membersOf(manifest, built)),
    });
  };

/** The empty config of OCI 1.1 (image-spec, manifest.md, "Guidance for an Empty Descriptor"). */
export const empty: readonly [string, object] = ['application/vnd.oci.empty.v1+json', {}];

/** The parts of an index that differ between tools. */
export interface IndexMore {
  readonly docker?: boolean;
  readonly untyped?: boolean;
  readonly members?: Members;
}

/** An index. @param entries each manifest, and more members of its descriptor. */
export const index =
  (entries: readonly (readonly [Make, Members])[], more: IndexMore = {}): Make =>
  async (built) => {
    const mediaType = more.docker ? mediaTypes.dockerList : mediaTypes.ociIndex;
    const manifests: object[] = [];
    for (const [make, members] of entries) {
      manifests.push({ ...(await make(built)), ...(await membersOf(members, built)) });
    }
    const typed = more.untyped ? {} : { mediaType };
    return built.manifest(mediaType, {
      schemaVersion: 2,
      ...typed,
      manifests,
      ...(await membersOf(more.members ?? {}, built)),
    });
  };

/** The platform of an index entry. */
export const on = (architecture: string, os = 'linux', more: object = {}) => ({
  platform: { architecture, os, ...more },
});

/** A digest of nothing that exists, as in a reference to other content. */
export const otherDigest = `sha256:${'5'.repeat(64)}`;

const zero = '0001-01-01T00:00:00Z';

/**
 * The config, but for `rootfs`, that go-containerregistry writes when a tool sets nothing: it writes each time and the
 * platform always (pkg/v1/config.go). @param layers the number of layers.
 */
export const bareConfig = (layers: number) => ({
  architecture: '',
  created: zero,
  history: Array.from({ length: layers }, () => ({ created: zero })),
  os: '',
  config: {},
});

/** The same config as an artifact's. @param texts those of its layers. */
export function bareArtifactConfig(texts: readonly string[]) {
  const { config, ...platform } = bareConfig(texts.length);
  const diffIds = texts.map((text) => digestOf(new TextEncoder().encode(text)));
  return { ...platform, rootfs: { type: 'layers', diff_ids: diffIds }, config };
}

const { config, ...platform } = bareConfig(1);
/** The config of cosign's artifacts, and of the SBOM of ko: that of an image with empty members. */
export const cosignConfig = { ...platform, rootfs: { type: 'layers', diff_ids: [otherDigest] }, config };
