import { mediaTypes } from '../../../converters/media-types.ts';

const { schema1, schema1Signed, schema2, dockerList, ociManifest, ociIndex, json } = mediaTypes;

/** A program of docs/clients.md. */
export interface RecipeClient {
  /** undefined if it sends none. */
  readonly userAgent: string | undefined;
  /** `Accept` for a tag. */
  readonly accept: string;
  /** `Accept` for the image of an index; that for a tag if absent. */
  readonly acceptImage?: string;
  /** Whether it names the type of the entry instead. */
  readonly namesEntry?: true;
  /** Its address, for a rule with a network. */
  readonly address?: string;
}

const containersImage = [ociManifest, schema2, schema1Signed, schema1, dockerList, ociIndex];
const goContainerRegistry = [schema1, schema1Signed, ociIndex, dockerList, ociManifest, schema2].join(',');
const images = `${schema2}, ${ociManifest}`;
const indexes = `${dockerList}, ${ociIndex}`;

/** The programs of the recipes, with their headers as the sources have them that docs/clients.md names. */
export const recipeClients = {
  'Charliecloud 0.31': {
    userAgent: 'python-requests/2.28.1',
    accept: `${dockerList},${ociIndex},${schema2},${ociManifest};q=0.5`,
    acceptImage: `${schema2},${ociManifest};q=0.5`,
  },
  'skopeo 1.9': { userAgent: 'skopeo/1.9.3', accept: containersImage.join(', ') },
  'enroot 3.4.0': { userAgent: 'curl/7.76.1', accept: dockerList, acceptImage: schema2 },
  'enroot 3.5': {
    userAgent: 'curl/7.76.1',
    accept: indexes,
    acceptImage: images,
    address: '10.20.1.2',
  },
  'jib 3.2': {
    userAgent: 'jib 3.2.1 jib-maven-plugin',
    accept: [ociManifest, schema2, schema1, dockerList].join(','),
  },
  'jib 3.4': {
    userAgent: 'jib 3.4.5 jib-gradle-plugin',
    accept: [ociManifest, schema2, schema1, dockerList, ociIndex].join(','),
  },
  'a Cloud Foundry stager of 2023': {
    userAgent: 'containers/5.29.2 (github.com/containers/image)',
    accept: [ociManifest, schema2, schema1Signed, schema1].join(', '),
    address: '10.0.17.5',
  },
  'a Diego cell': {
    userAgent: 'containers/5.36.2 (github.com/containers/image)',
    accept: containersImage.join(', '),
    address: '10.0.17.5',
  },
  Knative: {
    userAgent: 'knative/a1b2c3d (serving) go-containerregistry/v0.20.6',
    accept: goContainerRegistry,
  },
  'oras-py': {
    userAgent: 'python-requests/2.32.5',
    accept: `${ociManifest}, ${ociIndex}`,
    address: '10.30.4.4',
  },
  Syft: {
    userAgent: '/usr/local/bin/syft go-containerregistry/v0.20.6',
    accept: goContainerRegistry,
  },
  Grype: { userAgent: 'grype go-containerregistry/v0.20.6', accept: goContainerRegistry },
  'Singularity 2.6': { userAgent: 'Singularity', accept: `${schema2},${dockerList},${json}` },
  'Singularity 3.5': {
    userAgent: 'Singularity/3.5.2 (Linux amd64) Go/1.13.5',
    accept: containersImage.filter((type) => type !== ociIndex).join(', '),
  },
  'Singularity 3.8': {
    userAgent: 'Singularity/3.8.0 (Linux amd64) Go/1.16.5',
    accept: containersImage.join(', '),
  },
  Watchtower: {
    userAgent: 'Watchtower/v1.7.1',
    accept: [schema2, dockerList, schema1, ociIndex].join(', '),
  },
  "What's up Docker": { userAgent: undefined, accept: indexes, namesEntry: true, address: '10.40.0.7' },
  crane: {
    userAgent: 'crane/v0.20.2 go-containerregistry/v0.20.2',
    accept: goContainerRegistry,
    address: '10.50.9.9',
  },
  'Dev Containers CLI': { userAgent: 'devcontainer', accept: schema2, address: '10.9.1.1' },
} satisfies Record<string, RecipeClient>;
