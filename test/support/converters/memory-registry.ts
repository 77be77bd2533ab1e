import {
  type ConversionContext,
  type Digest,
  digestOf,
  type LayerFacts,
  mediaTypes,
  readManifest,
} from '../../../converters/index.ts';
import { noPorts } from './no-ports.ts';

/** The descriptor of a document or layer in a `MemoryRegistry`. */
export interface StoredDescriptor {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: Digest;
}

/** The content of a registry in memory, with ports that read it. It counts the calls of the ports. */
export class MemoryRegistry {
  readonly #documents = new Map<Digest, Uint8Array>();
  readonly #layers = new Map<Digest, LayerFacts>();
  /** Highest number of concurrent calls of the ports. */
  busiest = 0;
  calls = 0;
  #busy = 0;

  add(mediaType: string, value: unknown, indent = 2): StoredDescriptor {
    const text = typeof value === 'string' ? value : JSON.stringify(value, null, indent);
    const bytes = new TextEncoder().encode(text);
    const digest = digestOf(bytes);
    this.#documents.set(digest, bytes);
    return { mediaType, size: bytes.length, digest };
  }

  /** Replaces the bytes of a digest by other bytes. */
  spoil(digest: Digest): void {
    this.#documents.set(digest, new TextEncoder().encode('{}'));
  }

  remove(digest: Digest): void {
    this.#documents.delete(digest);
  }

  layer(mediaType: string, seed: string, compression: LayerFacts['compression'] = 'gzip'): StoredDescriptor {
    const digest = digestOf(new TextEncoder().encode(`packed ${seed}`));
    const diffId = diffIdOf(seed);
    this.#layers.set(digest, { compression, packedSize: 10, size: 100, diffId });
    return { mediaType, size: 10, digest };
  }

  /** Adds an image of one layer. @param architecture "" for a config without a platform. */
  image(seed: string, architecture = 'amd64', layerType: string = mediaTypes.ociLayerGzip): StoredDescriptor {
    const zstd = layerType.endsWith('zstd');
    const config = {
      ...(architecture === '' ? {} : { architecture, os: 'linux' }),
      rootfs: { type: 'layers', diff_ids: [diffIdOf(seed)] },
      history: [{ created: '2024-01-01T00:00:00Z' }],
    };
    return this.add(mediaTypes.ociManifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: this.add(mediaTypes.ociConfig, config),
      layers: [this.layer(layerType, seed, zstd ? 'zstd' : 'gzip')],
    });
  }

  index(manifests: readonly object[], extra: object = {}): StoredDescriptor {
    return this.add(mediaTypes.ociIndex, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests,
      ...extra,
    });
  }

  read({ digest }: StoredDescriptor) {
    return readManifest(this.bytes(digest));
  }

  bytes(digest: Digest): Uint8Array {
    const bytes = this.#documents.get(digest);
    if (!bytes) throw new Error(`no document ${digest}`);
    return bytes;
  }

  get context(): ConversionContext {
    const document = ({ digest }: { digest: Digest }) => this.#called(() => this.bytes(digest));
    const facts = (digest: Digest) => this.#layers.get(digest) ?? missing(digest);
    return {
      ...noPorts,
      ports: {
        ...noPorts.ports,
        fetchManifest: document,
        fetchBlob: document,
        sniffLayer: ({ digest }) => this.#called(() => facts(digest).compression),
        layerFacts: async ({ digest }) => facts(digest),
      },
    };
  }

  async #called<T>(read: () => T): Promise<T> {
    this.calls += 1;
    this.#busy += 1;
    this.busiest = Math.max(this.busiest, this.#busy);
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.#busy -= 1;
    return read();
  }
}

export function diffIdOf(seed: string): Digest {
  return digestOf(new TextEncoder().encode(`unpacked ${seed}`));
}

export function on(architecture: string, more: object = {}) {
  return { platform: { architecture, os: 'linux', ...more } };
}

function missing(digest: string): never {
  throw new Error(`no layer ${digest}`);
}
