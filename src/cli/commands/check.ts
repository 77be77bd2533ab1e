import { ConversionError } from '../../../converters/errors.ts';
import type { Platform } from '../../../converters/platform.ts';
import { RegistryError } from '../../errors.ts';
import { type StraightClient, straightClient } from '../../negotiation/straight.ts';
import { errorText } from '../error-text.ts';
import { checkClient, type ImageVerdicts, storedForm, type Verdict } from '../images/check-client.ts';
import { readImageName } from '../images/image-name.ts';
import { orKnownTags } from '../images/known-tags.ts';
import { createImageOpener, type OpenImage } from '../images/open-image.ts';
import { podImages } from '../images/pod-images.ts';
import type { AccessOptions } from '../registry-options.ts';
import { type DataOptions, type Io, printData, withDigests } from '../terminal/io.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { exitCodes, UsageError, unknownClient } from '../usage.ts';
import { printGithub } from './print-github.ts';
import { isGood, printVerdicts } from './print-verdicts.ts';

interface Options extends AccessOptions, DataOptions {
  readonly clients?: readonly string[] | undefined;
  readonly withProxy?: true | undefined;
  readonly pods?: true | undefined;
  readonly platform?: Platform | undefined;
  readonly readLayers?: true | undefined;
  readonly github?: true | undefined;
  readonly full?: true | undefined;
}

/** The clients of `regshift check` without `--clients`. */
const usualClients = ['docker-1.13', 'docker-20.10', 'podman-4', 'containerd-2'];

/**
 * `regshift check`: tells which clients can use images straight from their registry.
 * @returns exit code 1 if one of them cannot use one of the images, or if an image cannot be checked.
 */
export async function check(images: readonly string[], options: Options, io: Io): Promise<number> {
  const readers = readersFor(options.clients ?? usualClients);
  if (images.length === 0 && !options.pods) throw new UsageError('Name an image, or use --pods.');
  const ofPods = options.pods ? podImages(await io.read(Number.POSITIVE_INFINITY)) : [];
  const names = [...images.map((image) => ({ image, pod: undefined })), ...ofPods];
  // Logs of CI need no line for each step: the result has it.
  const steps = io.errorColumns === undefined ? { ...io, stderr: () => undefined } : io;
  const progress = createProgress(steps, names.length * readers.length);
  const open = createImageOpener({ ...options, asProxy: options.withProxy }, io);
  const all: ImageVerdicts[] = [];
  // One after another: registries limit pulls, and later clients use what is known from earlier ones.
  for (const { image, pod } of names) {
    const failed = pod === undefined ? undefined : wrongName(image, pod, options);
    all.push(failed ?? (await checkImage(image, readers, options, { io, progress, open })));
  }
  progress.end();
  const isData = printData(io, { valid: all.every(isGood), images: all }, options);
  if (!isData) printVerdicts(all, options, withDigests(io, options));
  if (options.github) printGithub(all, io, isData ? io.stderr : io.stdout);
  return all.every(isGood) ? exitCodes.good : exitCodes.failed;
}

function readersFor(ids: readonly string[]): readonly StraightClient[] {
  return [...new Set(ids)].map((id) => {
    const reader = straightClient(id);
    if (reader) return reader;
    throw unknownClient(id, ['lambda']);
  });
}

/** The result for an image of a pod whose name no registry has. Other images keep their verdicts. */
function wrongName(image: string, pod: string, { plainHttp }: Options): ImageVerdicts | undefined {
  try {
    readImageName(image, plainHttp);
    return undefined;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const of = pod === '' ? '' : ` It is an image of the pod ${pod}.`;
    return { image, clients: [], failed: `${error.message}${of}` };
  }
}

interface Parts {
  readonly io: Io;
  readonly progress: Progress;
  readonly open: (name: string) => Promise<OpenImage>;
}

async function checkImage(
  name: string,
  readers: readonly StraightClient[],
  options: Options,
  { io, progress, open }: Parts,
): Promise<ImageVerdicts> {
  const { platform = { os: 'linux', architecture: 'amd64' }, withProxy = false } = options;
  try {
    const image = await open(name);
    const stored = await orKnownTags(image, storedForm(image));
    const behindRegshift = stored.regshift === true;
    const clients: Verdict[] = [];
    for (const reader of readers) {
      clients.push(await checkClient(image, reader, { platform, withProxy, behindRegshift }));
      progress.step(`${name} for ${reader.name}`);
    }
    return { image: name, ...stored, clients };
  } catch (error) {
    if (!(error instanceof RegistryError || error instanceof ConversionError)) throw error;
    for (const reader of readers) progress.step(`${name} for ${reader.name}`);
    return { image: name, clients: [], failed: errorText(error, 'registry', options, io.loginFiles) };
  }
}
