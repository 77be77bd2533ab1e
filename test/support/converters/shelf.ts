import {
  type ConversionContext,
  type Digest,
  digestOf,
  type LayerFacts,
  mediaTypes,
  readManifest,
} from '../../../converters/index.ts';
import { noPorts } from './no-ports.ts';

export interface Stored {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: Digest;
}

/** A registry's content in memory, with the ports to it; it counts what is asked for. */
export class Shelf {
  readonly #documents = new Map<Digest, Uint8Array>();
  readonly #layers = new Map<Digest, LayerFacts>();
  /** The most calls of ports that were under way at once. */
  busiest = 0;
  calls = 0;
  #busy = 0;

  add(mediaType: string, value: unknown, indent = 2): Stored {
    const text = typeof value === 'string' ? value : JSON.stringify(value, null, indent);
    const bytes = new TextEncoder().encode(text);
    const digest = digestOf(bytes);
    this.#documents.set(digest, bytes);
    return { mediaType, size: bytes.length, digest };
  }

  /** Makes a digest name other bytes than its own. */
  spoil(digest: Digest): void {
    this.#documents.set(digest, new TextEncoder().encode('{}'));
  }

  remove(digest: Digest): void {
    this.#documents.delete(digest);
  }

  layer(mediaType: string, seed: string, compression: LayerFacts['compression'] = 'gzip'): Stored {
    const digest = digestOf(new TextEncoder().encode(`packed ${seed}`));
    const diffId = diffIdOf(seed);
    this.#layers.set(digest, { compression, packedSize: 10, size: 100, diffId });
    return { mediaType, size: 10, digest };
  }

  /** An image of one layer; of a platform, or of one that says none. */
  image(seed: string, architecture = 'amd64', layerType: string = mediaTypes.ociLayerGzip): Stored {
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

  index(manifests: readonly object[], extra: object = {}): Stored {
    return this.add(mediaTypes.ociIndex, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests,
      ...extra,
    });
  }

  read({ digest }: Stored) {
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

  async #called<T>(give: () => T): Promise<T> {
    this.calls += 1;
    this.#busy += 1;
    this.busiest = Math.max(this.busiest, this.#busy);
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.#busy -= 1;
    return give();
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
