import { basename } from 'node:path';
import { generateSigningKey } from '../../../converters/crypto/signing-key.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { readManifest, sketchManifest } from '../../../converters/read.ts';
import { formName } from '../../negotiation/format-names.ts';
import { isOfArtifact } from '../images/artifact.ts';
import { type Check, checkManifest, documentText } from '../images/check-manifest.ts';
import { folderOf, openFileStore, readInput } from '../images/file-store.ts';
import { orKnownTags } from '../images/known-tags.ts';
import { holdsImage, isFile, manifestFile } from '../images/manifest-file.ts';
import { openImage } from '../images/open-image.ts';
import type { AccessOptions } from '../registry-options.ts';
import { type DataOptions, type Io, printData, printLines, withDigests } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';
import { createActivity } from '../terminal/progress.ts';
import type { Cell } from '../terminal/text.ts';
import { exitCodes } from '../usage.ts';

interface Options extends AccessOptions, DataOptions {
  readonly from?: string | undefined;
  readonly layers?: true | undefined;
  readonly strict?: true | undefined;
  readonly full?: true | undefined;
}

interface Subject {
  readonly bytes: Uint8Array;
  readonly contentType?: string;
  readonly ports: ConversionPorts;
  /** The digest that the name of the manifest contains. */
  readonly stated?: string;
}

interface Report {
  readonly digest: Digest;
  readonly form: string;
  readonly checks: readonly Check[];
}

/** `regshift verify`: checks an image in a file or a registry. @returns exit code 1 if a check fails. */
export async function verify(text: string, options: Options, io: Io): Promise<number> {
  const subject = isOnDisk(text)
    ? await fileSubject(text, options, io)
    : await registrySubject(text, options, io);
  const { form, digest, checks } =
    'checks' in subject ? subject : await checkedWithProgress(subject, options, io);
  const valid = checks.every(({ ok }) => ok !== false);
  if (!printData(io, { image: text, digest, form, valid, checks }, options)) {
    const shown = withDigests(io, options);
    printLines(shown, [`${text} is ${form}, ${digest}`]);
    printChecks(checks, shown);
  }
  const isComplete = checks.every(({ ok }) => ok !== undefined);
  return valid && (isComplete || !options.strict) ? exitCodes.good : exitCodes.failed;
}

/** Tells whether the argument is a file: it looks like a path, or a file or a folder with an image has this name. */
function isOnDisk(text: string): boolean {
  return text === '-' || /^[./]|[/\\]$|\.json$/.test(text) || isFile(text) || holdsImage(text);
}

async function fileSubject(path: string, { from }: Options, io: Io): Promise<Subject> {
  const file = manifestFile(path);
  const bytes = await readInput(file, io);
  const store = openFileStore(from ?? folderOf(file));
  const hex = /^[0-9a-f]{64}$/.exec(basename(file))?.[0];
  const ports = { ...store.ports, signingKey: generateSigningKey };
  return { bytes, ports, ...(hex ? { stated: `sha256:${hex}` } : {}) };
}

async function registrySubject(text: string, options: Options, io: Io): Promise<Subject | Report> {
  const access = { ...options, readLayers: options.layers };
  const image = await openImage(text, access, io);
  const { registry, name, reference, plain } = image;
  const { digest } = await orKnownTags(image, registry.stored.resolve(name, reference, plain.context));
  const manifest = await registry.stored.getManifest(name, digest, plain.context).catch(conversionError);
  if (manifest instanceof ConversionError) {
    return { digest, form: 'unreadable', checks: [unreadable(digest, manifest)] };
  }
  const { bytes, contentType } = manifest;
  return { bytes, contentType, stated: digest, ports: registry.stored.ports(name, plain.context) };
}

/** Returns a ConversionError as a value: `verify` reports bytes that do not match their digest. @throws other errors. */
function conversionError(error: unknown): ConversionError {
  if (error instanceof ConversionError) return error;
  throw error;
}

/** Checks, and shows on a terminal which layer is read. */
async function checkedWithProgress(subject: Subject, options: Options, io: Io): Promise<Report> {
  const activity = createActivity(io);
  const ports: ConversionPorts = {
    ...subject.ports,
    layerFacts: (layer) => {
      activity.step(`reading layer ${layer.digest}`);
      return subject.ports.layerFacts(layer);
    },
  };
  const report = await checked({ ...subject, ports }, options);
  if (options.layers) activity.end();
  return report;
}

async function checked(
  { bytes, contentType = '', stated, ports }: Subject,
  { layers }: Options,
): Promise<Report> {
  const ofBytes = digestOf(bytes, isDigest(stated) ? digestAlgorithm(stated) : 'sha256');
  try {
    const model = readManifest(bytes, contentType);
    const { mediaType } = model.source;
    // The model's own digest is always of sha256.
    const digest = digestAlgorithm(ofBytes) === 'sha256' ? model.source.digest : ofBytes;
    const detail = stated === undefined ? `${bytes.length} bytes` : 'matches its digest';
    const nameCheck = checkName(stated, digest, ofBytes, detail);
    return {
      digest,
      form: formName(mediaType),
      checks: [nameCheck, ...(await checkManifest(model, { ports, layers: layers === true }))],
    };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const digest = ofBytes;
    if (!isOfArtifact(error, contentType))
      return { digest, form: 'unreadable', checks: [unreadable(digest, error)] };
    const mediaType =
      error.code === 'UNKNOWN_DIALECT' ? contentType : sketchManifest(bytes, contentType).mediaType;
    return { digest, form: formName(mediaType), checks: [checkName(stated, digest, digest, documentText())] };
  }
}

/**
 * Compares a manifest with the digest in its name, if there is one. For signed schema 1, the name may be the digest of the
 * payload, as in registries, or the digest of the bytes.
 */
function checkName(stated: string | undefined, digest: Digest, ofBytes: Digest, detail: string): Check {
  const what = 'manifest';
  const ok = stated === undefined || stated === digest || stated === ofBytes;
  return { digest, what, ok, detail: ok ? detail : `does not match ${stated} in its name` };
}

function unreadable(digest: Digest, { message }: ConversionError): Check {
  return { digest, what: 'manifest', ok: false, detail: message };
}

function printChecks(checks: readonly Check[], io: Io): void {
  const word = (ok: boolean | undefined): Cell => {
    if (ok === undefined) return { text: 'not checked', color: 'yellow' };
    return ok ? { text: 'good', color: 'green' } : { text: 'WRONG', color: 'red' };
  };
  printTable(
    io,
    checks.map((check) => [word(check.ok), check.what, check.digest, check.detail]),
    undefined,
    '  ',
  );
}
