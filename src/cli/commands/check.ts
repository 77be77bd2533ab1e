import { ConversionError } from '../../../converters/errors.ts';
import type { Platform } from '../../../converters/platform.ts';
import { RegistryError } from '../../errors.ts';
import { type StraightClient, straightClient } from '../../negotiation/straight.ts';
import { errorText } from '../error-text.ts';
import { checkClient, type ImageVerdicts, storedForm, type Verdict } from '../images/check-client.ts';
import { orKnownTags } from '../images/known-tags.ts';
import { openImage } from '../images/open-image.ts';
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
  const names = [...images, ...(options.pods ? podImages(await io.read(Number.POSITIVE_INFINITY)) : [])];
  if (names.length === 0) throw new UsageError('Name an image, or use --pods.');
  // Logs of CI need no line for each step: the result has it.
  const steps = io.errorColumns === undefined ? { ...io, stderr: () => undefined } : io;
  const progress = createProgress(steps, names.length * readers.length);
  const all: ImageVerdicts[] = [];
  // One after another: registries limit pulls, and later clients use what is known from earlier ones.
  for (const name of names) all.push(await checkImage(name, readers, options, { io, progress }));
  progress.end();
  if (!printData(io, { valid: all.every(isGood), images: all }, options))
    printVerdicts(all, options, withDigests(io, options));
  if (options.github) printGithub(all, io);
  return all.every(isGood) ? exitCodes.good : exitCodes.failed;
}

function readersFor(ids: readonly string[]): readonly StraightClient[] {
  return [...new Set(ids)].map((id) => {
    const reader = straightClient(id);
    if (reader) return reader;
    throw unknownClient(id, ['lambda']);
  });
}

interface Shown {
  readonly io: Io;
  readonly progress: Progress;
}

async function checkImage(
  name: string,
  readers: readonly StraightClient[],
  options: Options,
  { io, progress }: Shown,
): Promise<ImageVerdicts> {
  const { platform = { os: 'linux', architecture: 'amd64' }, withProxy = false } = options;
  try {
    const image = await openImage(name, { ...options, asProxy: withProxy }, io);
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
    return { image: name, clients: [], failed: errorText(error, 'registry', options) };
  }
}
