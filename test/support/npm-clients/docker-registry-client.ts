import { buffer } from 'node:stream/consumers';
import { mediaTypes } from '../../../converters/media-types.ts';
import { loadPackage } from '../npm-packages.ts';
import { sha256Of } from '../sha256.ts';

/** The part of docker-registry-client 3.4.0 that the tests use: functions with callbacks. */
interface Library {
  createClientV2(options: object): Client;
  digestFromManifestStr(text: string): string;
}

interface Client {
  listTags(done: Done<[{ tags: string[] }]>): void;
  getManifest(options: { ref: string }, done: Done<[Manifest, { headers: Headers }, string]>): void;
  createBlobReadStream(options: { digest: string }, done: Done<[AsyncIterable<Uint8Array>]>): void;
  close(): void;
}

type Done<Results extends unknown[]> = (error: Error | null, ...results: Results) => void;
type Headers = Readonly<Record<string, string>>;

interface Manifest {
  readonly schemaVersion: number;
  readonly mediaType?: string;
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly fsLayers?: readonly { readonly blobSum: string }[];
}

export interface ReadOptions {
  /** 1, its default, sends `Accept: application/json` alone; 2 adds the image manifests of Docker and OCI. */
  readonly maxSchemaVersion?: 2;
  /** Adds the list and the index. */
  readonly acceptManifestLists?: true;
  readonly username?: string;
  readonly password?: string;
}

const silent = () => {};
const log: Record<string, unknown> = { addSerializers: silent, child: () => log };
for (const level of ['trace', 'debug', 'info', 'warn', 'error']) log[level] = silent;

/**
 * Pulls a tag, then all blobs of the image, with docker-registry-client. It verifies the signature and the digest of
 * schema 1 itself.
 * @returns the tags of the repository, the type of the manifest, and the manifest's digest.
 * @throws Error of the library, or with the first content that does not fit its digest.
 */
export async function pullByDockerRegistryClient(url: string, repository: string, options: ReadOptions) {
  const library = loadPackage('docker-registry-client') as Library;
  const client = library.createClientV2({ name: `${url}/${repository}`, log, ...options });
  try {
    const [{ tags }] = await called<[{ tags: string[] }]>((done) => client.listTags(done));
    const [manifest, response, text] = await called<[Manifest, { headers: Headers }, string]>((done) =>
      client.getManifest({ ref: 'latest' }, done),
    );
    const digest = library.digestFromManifestStr(text);
    if (response.headers['docker-content-digest'] !== digest) throw new Error('another digest in the header');
    for (const each of blobsOf(manifest)) {
      const [stream] = await called<[AsyncIterable<Uint8Array>]>((done) =>
        client.createBlobReadStream({ digest: each }, done),
      );
      if ((await sha256Of(await buffer(stream))) !== each) throw new Error(`${each} is something else`);
    }
    return { tags: tags.toSorted(), type: manifest.mediaType ?? mediaTypes.schema1Signed, digest };
  } finally {
    client.close();
  }
}

/** Gets a manifest by its digest. @returns the digest of the response, as the library computes it. */
export async function getByDockerRegistryClient(
  url: string,
  repository: string,
  digest: string,
  options: ReadOptions,
) {
  const library = loadPackage('docker-registry-client') as Library;
  const client = library.createClientV2({ name: `${url}/${repository}`, log, ...options });
  try {
    const [, , text] = await called<[Manifest, { headers: Headers }, string]>((done) =>
      client.getManifest({ ref: digest }, done),
    );
    return library.digestFromManifestStr(text);
  } finally {
    client.close();
  }
}

function called<Results extends unknown[]>(start: (done: Done<Results>) => void): Promise<Results> {
  return new Promise((resolve, reject) => {
    start((error, ...results) => (error ? reject(error) : resolve(results)));
  });
}

function blobsOf({ config, layers = [], fsLayers = [] }: Manifest): readonly string[] {
  const named = [...(config ? [config] : []), ...layers].map(({ digest }) => digest);
  return [...named, ...fsLayers.map(({ blobSum }) => blobSum)];
}
