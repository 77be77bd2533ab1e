import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { indexTypes, mediaTypes } from '../../converters/media-types.ts';
import {
  type ConvertedImage,
  convertedImage,
  digestOfManifest,
  writeLayout,
} from '../support/corpus/converted.ts';
import { type CorpusImage, corpus } from '../support/corpus/corpus.ts';
import { frozenRecords, imageKey } from '../support/corpus/frozen-records.ts';
import { type CorpusForm, corpusApp, corpusForms } from '../support/corpus/outcomes.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { pushImage } from '../support/push.ts';

/** The tag of each form. A schema 1 manifest names its tag, so docker-registry converts what is `latest`. */
const tags = { schema1: 'schema1', schema2: 'latest', oci: 'oci' } as const;

const frozen = frozenRecords();
const nameOf = ({ image, form }: ConvertedImage) => `${imageKey(image)} as ${form}`;

/** The digest of the converted manifest that is written down; undefined if none is. */
function frozenDigest(image: CorpusImage, form: CorpusForm): string | undefined {
  const [type, digest] = frozen[imageKey(image)]?.[form].split(' ') ?? [];
  return type?.startsWith('application/') ? digest : undefined;
}

/**
 * The digest that an image is pushed with: each converted image has one, and schema 2 that is stored, if it is converted
 * to schema 1.
 */
function pushedDigest(image: CorpusImage, form: CorpusForm): string | undefined {
  const converted = frozenDigest(image, form);
  if (converted !== undefined || form !== 'schema2') return converted;
  const { mediaType, digest } = image.root;
  const isDocker = mediaType === mediaTypes.schema2 || mediaType === mediaTypes.dockerList;
  return isDocker && frozenDigest(image, 'schema1') !== undefined ? digest : undefined;
}

const parsed = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));

/**
 * Whether the history has no entry for a layer. docker-registry 2.8.2 refuses such an image or leaves the layer out
 * (manifest/schema1/config_builder.go), and umoci does not list the layer.
 */
function hasShortHistory({ built }: CorpusImage): boolean {
  return [...built.manifests.values()].some(({ bytes }) => {
    const config = built.blobs.get(parsed(bytes).config?.digest);
    if (!config) return false;
    const { history, rootfs } = parsed(config);
    const ofLayers = (history ?? []).filter((each: { empty_layer?: boolean }) => !each.empty_layer);
    return (history ?? []).length === 0 || ofLayers.length < (rootfs?.diff_ids ?? []).length;
  });
}

/** Runs work for each value, eight at a time. */
async function inEights<Value, Result>(
  values: readonly Value[],
  work: (value: Value) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < values.length; start += 8)
    results.push(...(await Promise.all(values.slice(start, start + 8).map(work))));
  return results;
}

/** Each converted image of the corpus, read by programs that are no part of this project. */
describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))('the corpus, converted', () => {
  let home: string;
  let registry: DockerRegistry;
  let converted: readonly ConvertedImage[];
  const expected: Record<string, string> = {};
  const pushed: Record<string, string> = {};

  /** Pushes the forms of an image one by one: docker-registry loses a layer that two pushes upload at once. */
  async function pushForms(image: CorpusImage, app: ReturnType<typeof corpusApp>): Promise<ConvertedImage[]> {
    const forms: ConvertedImage[] = [];
    for (const form of corpusForms) {
      const digest = pushedDigest(image, form);
      if (digest === undefined) continue;
      const one = await convertedImage(image, form, app);
      const content = { manifests: one.manifests, blobs: [...one.blobs.values()] };
      pushed[nameOf(one)] = await pushImage(registry.url, image.repository, tags[form], content);
      expected[nameOf(one)] = digest;
      forms.push(one);
    }
    return forms;
  }

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-corpus-'));
    registry = await startDockerRegistry({ foreignLayers: true });
    const images = await corpus();
    const app = corpusApp(images);
    converted = (await inEights(images, (image) => pushForms(image, app))).flat();
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  it.each(corpusForms)('has many images of %s', (form) => {
    expect(converted.filter((each) => each.form === form).length).toBeGreaterThan(90);
  });

  it('has the digests in docker-registry that are written down', () => {
    expect(pushed).toEqual(expected);
  });

  it('is converted to schema 1 by docker-registry with the same bytes', async () => {
    const whole = converted.filter(
      ({ image, form }) => form === 'schema2' && frozenDigest(image, 'schema1') && !hasShortHistory(image),
    );
    expect(whole.length).toBeGreaterThan(120);
    const theirs = await inEights(whole, async ({ image }) => {
      const url = `${registry.url}/v2/${image.repository}/manifests/latest`;
      const response = await fetch(url, { headers: { accept: '' } });
      const bytes = new Uint8Array(await response.arrayBuffer());
      return [imageKey(image), response.ok ? digestOfManifest(bytes) : `${response.status}`];
    });
    expect(theirs).toEqual(whole.map(({ image }) => [imageKey(image), frozenDigest(image, 'schema1')]));
  });

  it('is copied by skopeo with the same digests', async () => {
    const images: Record<string, string[]> = {};
    for (const { image, form } of converted) {
      images[image.repository] = [...(images[image.repository] ?? []), tags[form]];
    }
    const host = new URL(registry.url).host;
    await writeFile(join(home, 'sync.yaml'), JSON.stringify({ [host]: { 'tls-verify': false, images } }));
    await mkdir(join(home, 'copies'));
    const options = ['--src', 'yaml', '--dest', 'dir', '--all', '--preserve-digests', '--scoped'];
    await runProgram('skopeo', ['--insecure-policy', 'sync', ...options, 'sync.yaml', 'copies'], home);
    const copied: Record<string, string> = {};
    for (const each of converted) {
      const folder = join(home, 'copies', host, `${each.image.repository}:${tags[each.form]}`);
      copied[nameOf(each)] = digestOfManifest(await readFile(join(folder, 'manifest.json')));
    }
    expect(copied).toEqual(expected);
  });

  it('is read by umoci with the same layers', async () => {
    const images = converted.filter(({ image, form }) => form === 'oci' && !hasShortHistory(image));
    const laidOut = await writeLayout(join(home, 'layout'), images);
    const indexes = images.filter(({ manifests }) => indexTypes.includes(manifests.at(-1)?.mediaType ?? ''));
    expect(laidOut.length).toBe(images.length - indexes.length);
    expect(laidOut.length).toBeGreaterThan(70);
    const read = await inEights(laidOut, async ({ tag }) => {
      const printed = await runProgram('umoci', ['stat', '--json', '--image', `layout:${tag}`], home);
      const { history } = JSON.parse(printed) as { history: { layer?: { digest: string } | null }[] | null };
      return { tag, layers: (history ?? []).flatMap(({ layer }) => (layer ? [layer.digest] : [])) };
    });
    expect(read).toEqual(laidOut);
  });
});
