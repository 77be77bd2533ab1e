import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { readSettings } from '../../src/config/settings.ts';
import { type Answer, type TestApp, testApp } from '../support/app.ts';
import { addImage, builtRepository } from '../support/built-repository.ts';
import { type RecipeClient, recipeClients } from '../support/docs/recipe-clients.ts';
import { recipe as recipeOf, recipes } from '../support/docs/recipes.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex, json } = mediaTypes;
const titles = [...(await recipes()).keys()];
const clients: Readonly<Record<string, RecipeClient>> = recipeClients;

function clientOf(name: string): RecipeClient {
  const client = clients[name];
  if (client === undefined) throw new Error(`there is no client ${name}`);
  return client;
}

async function appWith(recipe: string | undefined, upstream?: Script): Promise<TestApp> {
  const settings = recipe === undefined ? {} : await recipeOf(recipe);
  const file = JSON.stringify({ upstream: upstreamUrl, ...settings });
  return testApp({ REGSHIFT_CONFIG: file }, scriptedUpstream(upstream).fetch);
}

async function get(app: TestApp, client: RecipeClient, path: string, accept: string): Promise<Answer> {
  const headers = { ...(client.userAgent && { 'User-Agent': client.userAgent }), Accept: accept };
  const more = client.address === undefined ? {} : { clientAddress: client.address };
  const response = await app.send('GET', path, headers, more);
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${response.text()}`);
  return response;
}

interface Document {
  readonly manifests?: readonly {
    digest: string;
    mediaType: string;
    platform?: { architecture: string };
  }[];
  readonly layers?: readonly { mediaType: string }[];
}

/** Pulls as the program does, down to the image of linux/amd64. */
async function pull(app: TestApp, client: RecipeClient, sample: string) {
  const { accept, acceptImage = accept } = client;
  const root = await get(app, client, `/v2/sample/${sample}/manifests/latest`, accept);
  let document: Document = JSON.parse(root.text());
  const entry = document.manifests?.find(({ platform }) => platform?.architecture === 'amd64');
  if (entry) {
    const named = client.namesEntry ? entry.mediaType : acceptImage;
    const image = await get(app, client, `/v2/sample/${sample}/manifests/${entry.digest}`, named);
    document = JSON.parse(image.text());
  }
  const isZstd = document.layers?.some(({ mediaType }) => mediaType.endsWith('zstd'));
  const digest = root.header('Docker-Content-Digest');
  return { type: root.header('Content-Type'), digest, layers: isZstd ? 'zstd' : 'no zstd' };
}

describe('the recipes of docs/clients.md', () => {
  it.each(titles)('%s: the lines are accepted, beside upstream and in a route', async (title) => {
    const settings = await recipeOf(title);
    expect(Object.keys(settings).length).toBeGreaterThan(0);
    const upstream = 'https://registry.test';
    for (const file of [
      { upstream, ...settings },
      { upstream, routes: [{ upstream, ...settings }] },
    ]) {
      expect(readSettings({ REGSHIFT_CONFIG: JSON.stringify(file) })).toHaveProperty('settings');
    }
  });

  it.each<[client: string, recipe: string, sample: string, type: string]>([
    ['Charliecloud 0.31', 'Charliecloud', 'index-zstd', ociIndex],
    ['skopeo 1.9', 'umoci', 'index-zstd', ociIndex],
    ['skopeo 1.9', 'umoci', 'oci-zstd', ociManifest],
    ['enroot 3.5', 'enroot', 'index-zstd', ociIndex],
    ['jib 3.4', 'jib', 'index-zstd', ociIndex],
    ['a Diego cell', 'Cloud Foundry', 'index-zstd', ociIndex],
    ['a Diego cell', 'Cloud Foundry', 'oci-zstd', ociManifest],
    ['Knative', 'KServe', 'index-zstd', ociIndex],
    ['oras-py', 'KServe', 'index-zstd', ociIndex],
    ['oras-py', 'KServe', 'oci-zstd', ociManifest],
    ['Singularity 3.8', 'Singularity 2 and 3', 'index-zstd', ociIndex],
    ['Singularity 3.8', 'Singularity 2 and 3', 'oci-zstd', ociManifest],
  ])('%s, %s: %s has no zstd layers, and has some without the rule', async (name, recipe, sample, type) => {
    const client = clientOf(name);
    expect(await pull(await appWith(recipe), client, sample)).toMatchObject({ type, layers: 'no zstd' });
    expect(await pull(await appWith(undefined), client, sample)).toMatchObject({ layers: 'zstd' });
  });

  it.each<[client: string, sample: string, type: string]>([
    ['enroot 3.4.0', 'index', dockerList],
    ['jib 3.2', 'index', dockerList],
    ['a Cloud Foundry stager of 2023', 'index', ociManifest],
    ['Singularity 2.6', 'index', dockerList],
    ['Singularity 2.6', 'oci', schema2],
    ['Singularity 3.5', 'index', dockerList],
    ['oras-py', 'schema2', ociManifest],
    ['Dev Containers CLI', 'index', schema2],
  ])('%s gets %s as %s without a rule', async (name, sample, type) => {
    expect(await pull(await appWith(undefined), clientOf(name), sample)).toMatchObject({ type });
  });

  it.each(['Syft', 'Grype'])("%s gets OCI's type in place of Docker's for zstd layers", async (name) => {
    const built = builtRepository('sample/schema2-zstd');
    const { dockerLayerZstd, ociLayerZstd } = mediaTypes;
    const upstream = built.serve(addImage(built, { mediaType: schema2, layerType: dockerLayerZstd }));
    const typesOf = async (recipe: string | undefined) => {
      const app = await appWith(recipe, upstream);
      const { accept } = clientOf(name);
      const response = await get(app, clientOf(name), '/v2/sample/schema2-zstd/manifests/latest', accept);
      const { layers = [] } = JSON.parse(response.text()) as Document;
      return [...new Set(layers.map(({ mediaType }) => mediaType))];
    };
    expect(await typesOf('Syft and Grype')).toEqual([ociLayerZstd]);
    expect(await typesOf(undefined)).toEqual([dockerLayerZstd]);
  });

  it('Singularity 2.6 gets schema 1 for the metadata', async () => {
    const [app, client] = [await appWith('Singularity 2 and 3'), clientOf('Singularity 2.6')];
    const response = await get(app, client, '/v2/sample/index/manifests/latest', json);
    expect(response.header('Content-Type')).toBe(schema1Signed);
  });

  it.each(['Watchtower', "What's up Docker"])('%s gets the digest of Docker 1.13', async (name) => {
    const [ruled, plain] = [await appWith('Update watchers'), await appWith(undefined)];
    const samples = name === 'Watchtower' ? ['index', 'oci', 'list'] : ['index', 'list'];
    for (const sample of samples) {
      const engine = await ruled.get(
        `/v2/sample/${sample}/manifests/latest`,
        manifestRequestHeaders['Docker 1.13.1'],
      );
      const digest = engine.header('Docker-Content-Digest');
      expect(await pull(ruled, clientOf(name), sample)).toMatchObject({ digest });
      if (sample === 'index') expect(await pull(plain, clientOf(name), sample)).not.toMatchObject({ digest });
    }
  });

  it.each(['crane', 'skopeo 1.9', 'a Diego cell'])(
    'AWS Lambda: %s gets one image without zstd',
    async (name) => {
      const client = clientOf(name);
      for (const sample of ['index', 'index-zstd']) {
        const [ruled, plain] = [await appWith('AWS Lambda'), await appWith(undefined)];
        expect(await pull(ruled, client, sample)).toMatchObject({ type: ociManifest, layers: 'no zstd' });
        expect(await pull(plain, client, sample)).toMatchObject({ type: ociIndex });
      }
    },
  );

  it('Dev Containers CLI: machines of a network get the image of their platform', async () => {
    const [app, client] = [await appWith('Dev Containers CLI'), clientOf('Dev Containers CLI')];
    const response = await get(app, client, '/v2/sample/index/manifests/latest', client.accept);
    expect(response.header('Regshift-Conversion')).toContain('platform=linux/arm64');
  });
});
