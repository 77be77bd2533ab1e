import { mediaTypes } from '../../../converters/index.ts';
import { knownClients } from '../../../src/negotiation/known-clients.ts';
import { type RequestHeaders, type TestApp, testApp } from '../app.ts';
import type { HeaderLine } from '../old-clients.ts';
import { pullChecked } from '../pull-checked.ts';
import { scriptedUpstream } from '../scripted-upstream.ts';
import { sha256Of } from '../sha256.ts';
import type { CorpusImage } from './corpus.ts';

/** The forms that each image of the corpus is converted to. */
export const corpusForms = ['schema1', 'schema2', 'oci'] as const;
export type CorpusForm = (typeof corpusForms)[number];

/** The response to the clients of one form. */
export interface CorpusOutcome {
  /** `as stored`, or the type and digest of the converted manifest, or the status, code and message of the error. */
  readonly text: string;
  /** The digests of the decompressed layers for linux/amd64; undefined without such an image. */
  readonly layers: readonly string[] | undefined;
}

function headersOfClient(id: string): HeaderLine[] {
  const client = knownClients.find((each) => each.id === id);
  if (!client) throw new Error(`there is no client ${id}`);
  const agent: HeaderLine = ['User-Agent', `${client.userAgent} os/linux arch/amd64`];
  return [agent, ...client.accept.map((type): HeaderLine => ['Accept', type])];
}

/** The headers of a client that reads one form alone. No Docker reads only OCI, so the last one is no Docker. */
export const corpusClients: Readonly<Record<CorpusForm, RequestHeaders>> = {
  schema1: headersOfClient('docker-1.9'),
  schema2: headersOfClient('docker-1.13'),
  oci: [
    ['Accept', mediaTypes.ociManifest],
    ['Accept', mediaTypes.ociIndex],
  ],
};

/** The program in front of a registry with the images of the corpus. */
export function corpusApp(images: readonly CorpusImage[]): TestApp {
  const scripts = new Map(images.map(({ repository, built, root }) => [repository, built.serve(root)]));
  const upstream = scriptedUpstream((request, url) => {
    const [, repository = ''] = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url.pathname) ?? [];
    return scripts.get(repository)?.(request, url);
  });
  return testApp({}, upstream.fetch);
}

/** Pulls an image in one form, and checks every digest, size, diffID and signature with other code. */
export async function outcomeOf(image: CorpusImage, app: TestApp, form: CorpusForm): Promise<CorpusOutcome> {
  const headers = corpusClients[form];
  const { repository } = image;
  const pulled = await pullChecked(app, repository, { byTag: headers, byDigest: () => headers });
  if ('refused' in pulled) {
    const { message } = (await app.get(`/v2/${repository}/manifests/latest`, headers)).error();
    return { text: `${pulled.refused}: ${message}`, layers: undefined };
  }
  const isStored = pulled.digest === image.root.digest;
  const layers = pulled.tars && (await Promise.all(pulled.tars.map(sha256Of)));
  return { text: isStored ? 'as stored' : `${pulled.mediaType} ${pulled.digest}`, layers };
}

/** The diffID of the layer without files, which stands in schema 1 for an image that changes none. */
const emptyDiffId = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/** The frozen facts of an image: its digest, and the outcome of each form. */
export type CorpusRecord = Readonly<Record<'stored' | CorpusForm, string>>;

/** The outcomes of an image. @throws Error if two forms of it have different layers. */
export async function recordOf(image: CorpusImage, app: TestApp): Promise<CorpusRecord> {
  const [schema1, schema2, oci] = await Promise.all(corpusForms.map((form) => outcomeOf(image, app, form)));
  if (!schema1 || !schema2 || !oci) throw new Error('a form is missing');
  const layers = [schema1, schema2, oci].flatMap((each) =>
    each.layers ? [each.layers.filter((layer) => layer !== emptyDiffId).join()] : [],
  );
  if (new Set(layers).size > 1) throw new Error(`the forms have different layers: ${layers.join(' and ')}`);
  return { stored: image.root.digest, schema1: schema1.text, schema2: schema2.text, oci: oci.text };
}
