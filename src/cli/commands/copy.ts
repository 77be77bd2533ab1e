import type { Form } from '../../../converters/conversion.ts';
import {
  generateSigningKey,
  readSigningKey,
  type SigningKey,
} from '../../../converters/crypto/signing-key.ts';
import type { Digest } from '../../../converters/digest.ts';
import { lossSentence } from '../../../converters/loss-text.ts';
import type { Platform } from '../../../converters/platform.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { byteText } from '../../byte-text.ts';
import { formName } from '../../negotiation/format-names.ts';
import { storedManifest } from '../../registry/inspection/inspected-image.ts';
import { createNodeLayerCodec } from '../../runtime/node/layers/codec.ts';
import { signingKeyText } from '../../runtime/node/platform.ts';
import { referenceText } from '../../upstream/api/paths.ts';
import { type CopiedContent, type CopiedImage, copyContent, type Transfer } from '../copy/copy-content.ts';
import { type CopyPlan, planCopy, rootOf } from '../copy/plan-copy.ts';
import { orKnownTags } from '../images/known-tags.ts';
import { type LayerSpool, withSpool } from '../images/layer-spool.ts';
import { type OpenImage, openImage } from '../images/open-image.ts';
import type { AccessOptions } from '../registry-options.ts';
import { type DataOptions, type Io, printData, printLines, withDigests } from '../terminal/io.ts';
import { exitCodes, UsageError } from '../usage.ts';

export interface CopyOptions extends AccessOptions, DataOptions {
  /** User and password for the target, with a colon between them. */
  readonly toCreds?: string | undefined;
  readonly as?: Exclude<Form, 'generic'> | undefined;
  readonly platform?: Platform | undefined;
  readonly all?: true | undefined;
  readonly drop?: 'attestations' | undefined;
  readonly decompress?: true | undefined;
  readonly full?: true | undefined;
}

/** `regshift copy`: copies an image between registries, in its own form or another one. @throws UsageError. */
export async function copy(from: string, to: string, options: CopyOptions, io: Io): Promise<number> {
  if (options.all && options.platform) {
    throw new UsageError('Use either --platform for one image of an index, or --all for the whole index.');
  }
  if (options.drop && !options.all) {
    throw new UsageError('--drop leaves entries of an index out, so it needs --all, which copies the index.');
  }
  const source = await openImage(from, { ...options, readLayers: true }, io);
  const login = { creds: options.toCreds, credsOption: '--to-creds' };
  const target = await openImage(to, { ...options, ...login, platform: undefined }, io);
  if (target.reference.kind === 'digest') {
    throw new UsageError(`Give the target a tag in place of a digest, which follows from the content: ${to}`);
  }
  const result = await withSpool(source, io, async (spool, progress) => {
    progress.begin('read', undefined);
    const { plan, stored } = await planOf({ source, target, spool }, options, io);
    refuseOverSource({ source, target, to, plan, stored });
    progress.begin('copied', totalOf(plan));
    const codec = createNodeLayerCodec();
    const sending = { onBytes: progress.add, onSkipped: progress.skip };
    return { plan, copied: await copyContent({ from: source, to: target, spool, codec, ...sending }, plan) };
  });
  report({ from, to, ...result }, options, io);
  return exitCodes.good;
}

interface Planning {
  readonly source: OpenImage;
  readonly target: OpenImage;
  readonly spool: LayerSpool;
}

async function planOf(
  { source, target, spool }: Planning,
  { as, platform, all, drop, decompress }: CopyOptions,
  io: Io,
): Promise<{ readonly plan: CopyPlan; readonly stored: Digest }> {
  const { registry, name, plain } = source;
  const { digest, bytes, contentType } = await orKnownTags(source, storedManifest(source));
  const stored = registry.stored.ports(name, plain.context);
  const ports: ConversionPorts = {
    ...stored,
    layerFacts: async (layer) =>
      layer.compression === 'zstd' ? (await spool.tar(layer.digest)).facts : stored.layerFacts(layer),
    gzipLayer: decompress ? undefined : (layer) => spool.gzip(layer.digest),
    signingKey: () => signingKeyOf(io),
  };
  const tag = target.reference.kind === 'tag' ? target.reference.tag : '';
  const plan = await planCopy(
    { bytes, contentType, digest, ports, name: target.name, tag },
    {
      as,
      platform: all ? undefined : (platform ?? registry.platform),
      wanted: platform,
      dropAttestations: drop === 'attestations',
      decompress: decompress === true,
    },
  );
  return { plan, stored: digest };
}

interface Overwriting extends Omit<Planning, 'spool'> {
  readonly to: string;
  readonly plan: CopyPlan;
  /** The digest of the source's tag. */
  readonly stored: Digest;
}

/** Refuses a copy that would replace its own source: the index, or the other form, might have no tag any more. */
function refuseOverSource({ source, target, to, plan, stored }: Overwriting): void {
  const isSource =
    source.registryUrl.href === target.registryUrl.href &&
    source.name === target.name &&
    referenceText(source.reference) === referenceText(target.reference);
  if (!isSource || rootOf(plan).digest === stored) return;
  const whole = plan.platform === undefined ? '' : ', or use --all for the whole index';
  throw new UsageError(`The copy would replace its own source, ${to}. Give the target another tag${whole}.`);
}

/** The key of `serve`, or a new one: the digest does not depend on the key. */
async function signingKeyOf({ env }: Io): Promise<SigningKey> {
  const setting = env.REGSHIFT_SIGNING_KEY;
  return setting ? readSigningKey(await signingKeyText(setting)) : generateSigningKey();
}

function totalOf({ blobs }: CopyPlan): number {
  return blobs.reduce((sum, { size }) => sum + (size ?? 0), 0);
}

interface Copied {
  readonly from: string;
  readonly to: string;
  readonly plan: CopyPlan;
  readonly copied: CopiedImage;
}

function report({ from, to, plan, copied }: Copied, options: CopyOptions, io: Io): void {
  const { digest, mediaType } = rootOf(plan);
  const { kind, platform, losses } = plan;
  const sent = [...copied.blobs, ...copied.manifests].reduce((sum, each) => sum + each.sent, 0);
  const facts = { from, to, digest, mediaType, form: formName(mediaType), kind, platform };
  if (printData(io, { ...facts, sent, ...copied, losses }, options)) return;
  const selected = platform === undefined ? '' : `, the image for ${platform} (--all copies the index)`;
  printLines(withDigests(io, options), [
    `${to} is ${formName(mediaType)}, ${digest}${selected}`,
    `  manifests  ${countText(copied.manifests)}`,
    `  blobs      ${countText(copied.blobs)}`,
    `  sent       ${byteText(sent)}`,
    ...losses.map((each) => `lost: ${lossSentence(each)}`),
  ]);
}

/** Counts content by the way that it came: `2 uploaded, 1 mounted, 3 there before`. */
function countText(contents: readonly CopiedContent[]): string {
  const words: Readonly<Record<Transfer, string>> = {
    uploaded: 'uploaded',
    mounted: 'mounted',
    present: 'there before',
  };
  const texts = Object.entries(words).flatMap(([kind, word]) => {
    const count = contents.filter(({ transfer }) => transfer === kind).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  return texts.join(', ') || 'none';
}
