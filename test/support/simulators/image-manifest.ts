import type { HeaderLine } from '../old-clients.ts';
import type { RawResponse } from '../raw-http.ts';
import { sha256Of } from '../sha256.ts';
import type { Session } from './session.ts';
import type { PulledImage, RunConfig } from './simulator.ts';
import { decompressLayer, holdsFiles } from './unpack.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

export interface ImageRules {
  /** Whether the client checks the sizes in schema 2; Docker never does. */
  readonly checksSizes: boolean;
  readonly knowsZstd: boolean;
  readonly blobHeaders: (mediaType: string) => readonly HeaderLine[];
  /** Checks a config's type. @throws Error when the client refuses this type. */
  readonly checkConfigType?: (mediaType: string) => void;
}

/** Downloads the config and the layers of a schema 2 or OCI manifest. @throws Error as a client fails. */
export async function fetchImage(
  session: Session,
  manifest: Uint8Array,
  rules: ImageRules,
): Promise<Pick<PulledImage, 'config' | 'layers'>> {
  const document = JSON.parse(new TextDecoder().decode(manifest)) as {
    schemaVersion: number;
    config: Descriptor;
    layers: readonly Descriptor[];
  };
  if (document.schemaVersion !== 2) throw new Error(`schemaVersion ${document.schemaVersion}`);
  rules.checkConfigType?.(document.config.mediaType);
  const bytes = await fetchBlob(session, document.config, rules);
  const config = JSON.parse(new TextDecoder().decode(bytes)) as RunConfig & {
    rootfs: { diff_ids: string[] };
  };
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== document.layers.length)
    throw new Error('layers from manifest do not match the config');
  const layers: Uint8Array[] = [];
  for (const [index, layer] of document.layers.entries()) {
    const tar = decompressLayer(await fetchBlob(session, layer, rules), rules.knowsZstd);
    if ((await sha256Of(tar)) !== diffIds[index]) throw new Error(`layer ${layer.digest} is not its diffID`);
    layers.push(tar);
  }
  return { config, layers: layers.filter(holdsFiles) };
}

async function fetchBlob(session: Session, blob: Descriptor, rules: ImageRules): Promise<Uint8Array> {
  const path = `/v2/${session.target.repository}/blobs/${blob.digest}`;
  const { body } = await session.expectOk('GET', path, rules.blobHeaders(blob.mediaType));
  if (rules.checksSizes && body.length !== blob.size)
    throw new Error(`${path}: ${body.length}, not ${blob.size}`);
  if ((await sha256Of(body)) !== blob.digest)
    throw new Error(`${path}: filesystem layer verification failed`);
  return body;
}

/** Selects the first image of a list for linux and the client's architecture. @throws Error when there is none. */
export function chooseChild(list: RawResponse, architecture = 'amd64'): Descriptor {
  const { manifests } = JSON.parse(new TextDecoder().decode(list.body)) as {
    manifests: readonly Descriptor[];
  };
  const fits = ({ platform }: Descriptor) =>
    platform?.os === 'linux' && platform.architecture === architecture;
  const found = manifests.find(fits);
  if (!found) throw new Error(`no matching manifest for linux/${architecture} in the manifest list entries`);
  return found;
}
