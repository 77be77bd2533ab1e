import type { Digest } from '../../converters/digest.ts';
import type { Platform } from '../../converters/platform.ts';
import type { TakeTurn } from '../../converters/ports.ts';
import type { Cache } from '../cache/cache.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { StateKeys } from '../client-state/keys.ts';
import { createListCursors, type ListCursors } from '../client-state/list-cursor.ts';
import { createUploadLocations, type UploadLocations } from '../client-state/upload-location.ts';
import type { Clock, WallClock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import type { LeaseLine } from '../concurrency/lease-line.ts';
import type { LayerCodec } from '../layers/codec.ts';
import { createLayerMembers } from '../layers/layer-members.ts';
import type { LayerService } from '../layers/layer-service.ts';
import type { LayerStore } from '../layers/store/layer-store.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Match } from '../routing/match.ts';
import { createRepositoryNames, type RepositoryNames } from '../routing/repository-names.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { sharedWorkMs } from '../upstream/timeouts.ts';
import { createAccessEpochs } from './access-epochs.ts';
import { type ContentStore, createContentStore } from './content-store.ts';
import { createEmptyLayerAccess, type EmptyLayerAccess } from './empty-layer-access.ts';
import { createLayerLabels, withTrueLabels } from './layer-labels.ts';
import {
  createManifestConverter,
  type ManifestConverter,
  type ManifestConverterOptions,
} from './manifests/converter.ts';
import { createKeptManifests, type KeptManifests } from './manifests/kept-manifests.ts';
import { createManifestService, type ManifestService } from './manifests/manifests.ts';
import { createPlatformSelector, type PlatformSelector } from './manifests/platform-selector.ts';
import { createRecipeSearch, type RecipeSearch } from './manifests/recipe-search.ts';
import { createWholeLists } from './manifests/whole-lists.ts';
import { createPinger, type Pinger } from './ping.ts';
import { createPushConverter, type PushConverter } from './push/convert-push.ts';
import type { DerivedContent } from './push/derived-content.ts';
import type { ManifestBodies } from './push/manifest-bodies.ts';
import type { FixedLength, ForwardBody, Pusher } from './push/upload-blob.ts';
import { mayRead, type Push, uploadMissing } from './push/upload-missing.ts';
import { createRecentTags } from './recent-tags.ts';
import { createLayers, type SharedLayers } from './registry-layers.ts';
import type { RegistrySettings } from './registry-settings.ts';
import type { RepositoryVersions } from './repository-versions.ts';
import { createResolver, type Resolver } from './resolver.ts';
import { createV1Services, type V1Services } from './v1/v1-services.ts';
import { createWarmer, type Warmer } from './warm/warmer.ts';

/** One upstream registry as regshift serves it: the services that requests are answered from. */
export interface Registry {
  readonly client: UpstreamClient;
  readonly pinger: Pinger;
  /** The names of its repositories, as clients and as upstream write them. */
  readonly repositoryNames: RepositoryNames;
  /** Whether a repository, by its name upstream, is served. */
  readonly serves: (repository: string) => boolean;
  /** Whether all repositories of upstream are served. */
  readonly servesAll: boolean;
  readonly listCursors: ListCursors;
  /** The platform of clients that cannot choose one and do not name one. */
  readonly platform: Platform;
  readonly manifests: ManifestService;
  readonly stored: StoredImages;
  readonly recipes: RecipeService;
  readonly blobs: BlobService;
  readonly pushes: PushService;
  readonly v1: V1Services;
  readonly warmer: Warmer;
}

/** The manifests that upstream stores, without conversion. */
export interface StoredImages
  extends Pick<Resolver, 'resolve' | 'countsPulls'>,
    Pick<ContentStore, 'getManifest' | 'getModel' | 'getManifestInfo'> {
  /** The image of an index for a platform. */
  readonly selectPlatform: PlatformSelector['select'];
  /** The parts of an image that converters read, with the caller's right. */
  readonly ports: ManifestConverter['ports'];
}

/** The recipes of content that regshift made. */
export type RecipeService = Pick<ManifestConverter, 'recipeOf' | 'cachedRecipe'> & Pick<RecipeSearch, 'find'>;

/** Blobs that regshift makes, and how stored ones are sent. The right to them is proved before. */
export interface BlobService {
  /** Proves the right to the empty layer. */
  readonly proveEmptyLayer: EmptyLayerAccess['prove'];
  /** A config that was made for an image without one. */
  readonly getConfig: ManifestConverter['config'];
  /** A decompressed layer, or a part of it, as a stream of known length. */
  readonly openLayer: LayerService['open'];
  /** Proves that upstream still has the layer that a decompressed one is made from. */
  readonly proveLayer: LayerService['proveLayer'];
  /** A stored blob that is verified while it is sent, for clients that verify nothing. */
  readonly openStored: LayerService['openStored'];
  /** The blobs of upstream that the proxy keeps; undefined if it keeps none. */
  readonly kept: Pick<LayerStore, 'has' | 'open' | 'takes' | 'isInDoubt' | 'verify'> | undefined;
  readonly fixedLength: RegistryOptions['fixedLength'];
  /** Hands redirects to storage on to the client instead of following them. */
  readonly redirects: boolean;
}

/** Pushes and deletions. */
export interface PushService {
  /** Whether clients may push and delete, as far as upstream lets them. */
  readonly allowed: boolean;
  readonly bodies: ManifestBodies;
  readonly locations: UploadLocations;
  readonly forwardBody: ForwardBody;
  /** Leaves behind what is remembered of a repository before it was written to. */
  readonly recordWrite: RepositoryVersions['increment'];
  /** The same for a write that may have happened: a public image may still stand in while upstream fails. */
  readonly recordDoubt: RepositoryVersions['doubt'];
  /** Uploads content that upstream lacks and regshift can make. */
  uploadMissing(push: Push, content: DerivedContent): Promise<Digest[]>;
  /** Whether the pusher has the right to what content was made from. */
  mayRead(pusher: Pusher, root: Digest): Promise<boolean>;
  /** Stores what the registry does not take in another form. */
  readonly converter: PushConverter;
  /** Finds a manifest that is stored in another form than the pushed one. */
  readonly findKept: KeptManifests['find'];
}

export interface RegistryOptions extends Pick<ManifestConverterOptions, 'signingKey'> {
  /** Names the route in sealed state and logs; the same in each process of a fleet. */
  readonly id: string;
  readonly settings: RegistrySettings;
  readonly match: Match;
  readonly client: UpstreamClient;
  /** Upstream is Docker Hub, where `busybox` is `library/busybox`. */
  readonly library: boolean;
  readonly cache: Cache;
  readonly memory: MemoryBudget;
  readonly codec: LayerCodec;
  readonly layers: SharedLayers;
  /** The line of all searches of the process. */
  readonly searchLine: LeaseLine;
  /** Shared by all routes: pushed manifests are kept in memory. */
  readonly manifestBodies: ManifestBodies;
  /** Shared by all routes: a push through one of them moves a tag for all routes to its registry. */
  readonly versionsOf: (registry: string) => RepositoryVersions;
  /** Gives a stream the length that it has: workerd would else send it in chunks. */
  readonly fixedLength: FixedLength;
  readonly forwardBody: ForwardBody;
  readonly background: Background;
  /** Shared by all routes: waits for a turn of the event loop to work on a document. */
  readonly turn: TakeTurn;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  /** @throws RegistryError MISCONFIGURED where another process could not open what is sealed with these keys. */
  readonly stateKeys: () => Promise<StateKeys>;
}

/** Images that a search may fetch where upstream does not count pulls. */
const usualWalkGets = 8;

export function createRegistry(options: RegistryOptions): Registry {
  const { settings, match, cache, memory, fixedLength, background, clock, turn } = options;
  const { tagTtl: ttl, staleFor, pin, platform, convertByDigest, lists } = settings;
  const epochs = createAccessEpochs(memory);
  const client = epochs.watching(options.client);
  const versions = options.versionsOf(client.id);
  const deadlineMs = sharedWorkMs(settings.upstreamTimeout);
  /** The parts of the process and of the registry that most services need. */
  const common = { client, versions, cache, memory, background, clock, turn };
  const content = createContentStore({ ...common, deadlineMs, refusesUnsigned: settings.refusesUnsigned });
  const members = createLayerMembers({ ...common, version: versions.current });
  const store = options.layers.store?.of(client.id);
  const layers = createLayers({ ...options, client, members, store });
  const converter = createManifestConverter({
    ...common,
    // Conversions of what is refused here may be in a shared cache, made for another route, replica or setting.
    upstream: settings.refusesUnsigned ? `${client.id} signed` : client.id,
    deadlineMs: 2 * deadlineMs,
    content,
    signingKey: options.signingKey,
    readingFor: layers.readingFor,
    metrics: options.metrics,
  });
  const platformSelector = createPlatformSelector(content, converter, memory);
  const resolver = createResolver({ ...common, deadlineMs, ttl, staleFor, epochs, content });
  const recentTags = createRecentTags(memory);
  const { countsPulls } = resolver;
  const wholeLists = createWholeLists({ ...common, converter, countsPulls });
  const labels = createLayerLabels({ ...common, content, countsPulls });
  const known = withTrueLabels(content, labels);
  const parts = {
    ...common,
    resolver,
    content: known,
    labels,
    converter,
    platformSelector,
    wholeLists,
    recentTags,
    layers,
    epochs,
    line: options.searchLine,
    route: options.id,
  };
  const recipeSearch = createRecipeSearch({
    ...parts,
    mostTags: settings.searchTags,
    mostFetches: (context) => settings.searchImages ?? (countsPulls(context) ? 0 : usualWalkGets),
  });
  const servesOneOfList = (context: RequestContext) =>
    lists === 'one' || (lists === 'auto' && countsPulls(context));
  const keptManifests = createKeptManifests(parts);
  const { aliases, pushFormat, refusesLosses } = settings;
  const manifests = createManifestService({
    ...parts,
    recipeSearch,
    keptManifests,
    pin,
    platform,
    convertByDigest,
    servesOneOfList,
    countsPulls,
  });
  const v1 = createV1Services({ ...parts, settings });
  return {
    client,
    pinger: createPinger({ ...common, staleFor }),
    repositoryNames: createRepositoryNames({ match, aliases, library: options.library }),
    serves: settings.serves ?? (() => true),
    servesAll: settings.serves === undefined && match.everything,
    listCursors: createListCursors(options.stateKeys, options.wallClock),
    platform,
    manifests,
    stored: {
      ...known,
      resolve: resolver.resolve,
      countsPulls,
      selectPlatform: platformSelector.select,
      ports: converter.ports,
    },
    recipes: { ...converter, ...recipeSearch },
    blobs: {
      proveEmptyLayer: createEmptyLayerAccess({ ...parts, deadlineMs, ttl }).prove,
      getConfig: converter.config,
      proveLayer: layers.proveLayer,
      async openLayer(repository, layer, context, options = {}) {
        const { span } = options;
        const stream = await layers.open(repository, layer, context, options);
        return fixedLength(stream, span ? span.end - span.start + 1 : layer.size);
      },
      async openStored(repository, blob, context) {
        const opened = await layers.openStored(repository, blob, context);
        const { stream, size } = opened;
        return { ...opened, stream: size === undefined ? stream : fixedLength(stream, size) };
      },
      kept: settings.keepsBlobs ? store : undefined,
      fixedLength,
      redirects: settings.redirectBlobs,
    },
    pushes: {
      allowed: settings.takesPushes,
      bodies: options.manifestBodies,
      locations: createUploadLocations(options.stateKeys, options.wallClock),
      forwardBody: options.forwardBody,
      recordWrite: versions.increment,
      recordDoubt: versions.doubt,
      uploadMissing: (push, missing) => uploadMissing({ ...parts, fixedLength }, push, missing),
      mayRead: (pusher, root) => mayRead(resolver, pusher, root),
      converter: createPushConverter({ ...parts, content, fixedLength, format: pushFormat, refusesLosses }),
      findKept: keptManifests.find,
    },
    v1,
    warmer: createWarmer({ ...parts, manifests, v1, platform, store }),
  };
}
