import { v1Steps } from '../../converters/formats/schema1/v1-steps.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Image } from '../../converters/model.ts';
import { readAccept } from './accept.ts';
import { type ClientCapabilities, capabilitiesOf } from './capabilities.ts';
import { type Client, describeClient } from './client-profile.ts';
import { type AppliedRow, type ClientProfile, lackPhrases } from './client-rows.ts';
import { formName, formPhrase } from './format-names.ts';
import { findKnownClient, splitClient } from './known-clients.ts';
import { type ManifestInfo, negotiate } from './negotiate.ts';
import { printedMessage } from './printed-messages.ts';
import { phraseOf, type Reason } from './reasons.ts';
import { isInRange, readVersion, type Version } from './version.ts';

/** A client that pulls from a registry without regshift. */
export interface StraightClient {
  /** Program and version as the user named them, like `docker-1.13`. */
  readonly id: string;
  readonly name: string;
  readonly program: string;
  readonly version: Version | undefined;
  readonly userAgent: string | undefined;
  /** The lines of `Accept`; empty if the client sends none. */
  readonly accept: readonly string[];
  readonly client: Client;
  /** The source of the types that it reads. */
  readonly typesEvidence: string;
  /** False for a service that pulls from one registry alone. */
  readonly usesProxies: boolean;
}

/** The reason why a client cannot use an image, for people. */
export interface Obstacle {
  readonly kind: ObstacleKind;
  /** The stored form, where the form is the obstacle. */
  readonly stored?: string;
  /** A phrase without a full stop. */
  readonly reason: string;
  /** Observations, each with its version, message or source. */
  readonly evidence: readonly string[];
  /** The message that the client prints, where it is known. */
  readonly prints?: string;
}

export type ObstacleKind =
  | 'api'
  | 'form'
  | 'index'
  | 'layers'
  | 'depth'
  | 'artifact'
  | 'platform'
  | 'registry';

/** Finds a client by its program and version, or `lambda`. @returns undefined for an unknown one. */
export function straightClient(id: string): StraightClient | undefined {
  if (id === lambda.id) return lambda;
  const known = findKnownClient(id);
  if (known === undefined) return undefined;
  const { name, accept, userAgent } = known;
  const [program, version] = splitClient(id);
  return {
    ...{ id, name, program, userAgent, accept },
    version: readVersion(version) ?? readVersion(userAgent.slice(userAgent.indexOf('/') + 1)),
    client: describeClient(userAgent),
    typesEvidence: typesText(accept),
    usesProxies: true,
  };
}

/**
 * AWS Lambda reads images from ECR, and no index (aws/aws-lambda-roadmap#82, serverless/serverless#12933).
 */
const lambda: StraightClient = {
  id: 'lambda',
  name: 'AWS Lambda',
  program: 'lambda',
  version: undefined,
  userAgent: undefined,
  accept: [mediaTypes.schema2, mediaTypes.ociManifest],
  client: lambdaClient(),
  typesEvidence: 'Lambda takes one image of Docker schema 2 or OCI, and no index (aws/aws-lambda-roadmap#82)',
  usesProxies: false,
};

function lambdaClient(): Client {
  const row: AppliedRow = {
    program: 'lambda',
    lacks: 'zstd',
    evidence: 'no report of an image with zstd layers that Lambda runs; this was not tried',
  };
  const client = describeClient(undefined);
  const profile = { ...client.profile, zstd: false };
  return { ...client, profile, digestProfile: profile, name: 'lambda', rows: [row] };
}

function typesText(accept: readonly string[]): string {
  const { named, any } = readAccept(accept.join(', '));
  const forms = [...new Set([...named.keys()].map(formName))];
  if (forms.length === 0) return 'its requests name no manifest type, and it reads schema1 alone';
  return `Accept of its requests names ${forms.join(', ')}${any ? ' and */*' : ''}`;
}

/** Reasons that are about one capability: a client that lacks it has it in its rows, with the evidence. */
const lacks: Partial<Readonly<Record<Reason, keyof ClientProfile>>> = {
  'zstd-layers': 'zstd',
  'zstd-inside': 'zstd',
  'docker-zstd-type': 'dockerZstdType',
  'mixed-types': 'ociTypesInSchema2',
  untyped: 'untypedSchema2',
  'nested-index': 'nestedIndex',
};

/**
 * Judges whether a client reads a manifest as a registry sends it.
 * @param named true if the registry sent the manifest in response to the client's own `Accept`.
 * @returns undefined if it does.
 */
export function obstacleFor(reader: StraightClient, info: ManifestInfo): Obstacle | undefined {
  const { client } = reader;
  if (info.opaque) {
    const reason = `it is no image: ${formPhrase(info.mediaType)} of an artifact or of an unknown form`;
    return { kind: 'artifact', reason, evidence: [] };
  }
  const { kind, because } = negotiate(info, capabilitiesFor(reader), 'auto');
  if (kind === 'stored' || because === 'prefers-it') return undefined;
  const lack = lacks[because];
  const relevant = lack ? [lack] : ['oci', 'schema1', 'namesTypes'];
  const evidence = client.rows.filter((row) => relevant.includes(row.lacks)).map(rowText);
  const prints = printedMessage(reader, info.mediaType, because, lack !== undefined);
  return {
    kind: kindOf(info, because),
    stored: formName(info.mediaType),
    reason: lack ? `it ${lackPhrases[lack]}` : unreadText(info, because),
    evidence: lack ? evidence : [reader.typesEvidence, ...evidence],
    ...(prints === undefined ? {} : { prints }),
  };
}

function unreadText({ mediaType }: ManifestInfo, because: Reason): string {
  return because === 'unsigned' ? phraseOf(because) : `it does not read ${formPhrase(mediaType)}`;
}

function capabilitiesFor({ accept, client }: StraightClient): ClientCapabilities {
  return capabilitiesOf(readAccept(accept.join(', ')), client.profile);
}

/** The names of the forms that a client reads, like `schema2` and `list`. */
export function formsOf(reader: StraightClient): ReadonlySet<string> {
  return new Set([...capabilitiesFor(reader).types.keys()].map(formName));
}

/** Why a proxy does not help a client that has no use for one. @param subject the client, or a pronoun for it. */
export function ownRegistryText(subject: string): string {
  return `${subject} pulls from its own registry: copy the image there (regshift copy)`;
}

/** Why a client that pulls by registry API v1 fails; undefined for every other one. */
export function apiObstacle({ client }: StraightClient): Obstacle | undefined {
  if (client.profile.apiV2) return undefined;
  const evidence = client.rows.filter(({ lacks }) => lacks === 'apiV2').map(rowText);
  return { kind: 'api', reason: 'it pulls by registry API v1, which registries do not serve', evidence };
}

/** The most layers that Docker registers from 1.10 on (moby, layer/layer_store.go, `maxLayerDepth`). */
const mostLayersOfDocker = 125;

/**
 * Why a client cannot unpack an image with many layers; undefined if it can. docker/for-linux#414 has the message with
 * 18.06. Docker 29 may keep its images in containerd's store, which has no such limit.
 */
export function depthObstacle({ program, version }: StraightClient, image: Image): Obstacle | undefined {
  const isLimited =
    program === 'docker' &&
    version !== undefined &&
    isInRange(version, { from: [1, 10, 0], before: [29, 0, 0] });
  const layers = layerCount(image);
  if (!isLimited || layers <= mostLayersOfDocker) return undefined;
  return {
    kind: 'depth',
    reason: `it registers at most ${mostLayersOfDocker} layers, and the image has ${layers}`,
    evidence: ['docker from 1.10.0 before 29.0.0: the limit of its storage drivers (maxLayerDepth of moby)'],
    prints: 'failed to register layer: max depth exceeded',
  };
}

/** How many layers a client registers. Entries of schema 1 without content are none. */
function layerCount({ target, dependencies }: Image): number {
  if (target.kind !== 'v1') return dependencies.length;
  return v1Steps(target, dependencies).filter(({ layer }) => layer !== undefined).length;
}

function rowText({ program, from, before, evidence }: AppliedRow): string {
  const range = [from && `from ${from.join('.')}`, before && `before ${before.join('.')}`];
  return `${[program, ...range].filter(Boolean).join(' ')}: ${evidence}`;
}

function kindOf({ entries }: ManifestInfo, because: Reason): ObstacleKind {
  if (because === 'zstd-layers' || because === 'zstd-inside' || because === 'docker-zstd-type')
    return 'layers';
  return entries ? 'index' : 'form';
}
