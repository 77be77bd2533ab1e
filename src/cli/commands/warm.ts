import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import type { Platform } from '../../../converters/platform.ts';
import type { Reference, RepositoryName, Tag } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';
import { describeClient } from '../../negotiation/client-profile.ts';
import { type KnownClient, knownClientById, knownClients } from '../../negotiation/known-clients.ts';
import { createBudget } from '../../request/budget.ts';
import { unknownRequester } from '../../request/requester.ts';
import { listTags } from '../../upstream/api/tags.ts';
import type { StaticCredential } from '../../upstream/auth/credential.ts';
import { createUpstreamClient } from '../../upstream/client.ts';
import { version } from '../../version.ts';
import { dockerLogin } from '../docker-login.ts';
import { readNamed } from '../images/image-name.ts';
import { type Io, printJson } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { exitCodes, UsageError } from '../usage.ts';
import { createWarmClient, type WarmClient } from '../warm/client.ts';
import type { Pulled } from '../warm/pulled.ts';
import { retryAfter } from '../warm/retry-after.ts';

export interface WarmOptions {
  readonly proxy: URL;
  readonly for?: readonly string[] | undefined;
  readonly allClients?: true | undefined;
  readonly allTags?: true | undefined;
  readonly platform: Platform;
  /** Seconds to wait for one image. */
  readonly wait: number;
  readonly json?: true | undefined;
}

interface Job {
  readonly name: RepositoryName;
  readonly reference: Tag | Digest;
  readonly generation: KnownClient;
}

interface Result {
  readonly image: string;
  readonly client: string;
  readonly given?: Pulled;
  readonly failed?: string;
}

/** Pulls at once: the proxy reads no more than four layers at a time either. */
const together = 4;

/** `regshift warm` */
export async function warm(images: readonly string[], options: WarmOptions, io: Io): Promise<number> {
  const chosen = clientsFor(options);
  const named = images.map((text) => readNamed(text));
  const credential = await dockerLogin(options.proxy, io);
  const wanted = (await Promise.all(named.map((each) => tagsOf(each, options, credential)))).flat();
  const jobs = wanted.flatMap((each) =>
    chosen
      .filter((generation) => canAskFor(each, generation))
      .map((generation): Job => ({ ...each, generation })),
  );
  const clients = new Map(
    chosen.map((each) => [each, createWarmClient(options.proxy, each, options.platform, credential)]),
  );
  const progress = createProgress(io, jobs.length);
  const results = await mapBounded(jobs, together, (job) => work(job, clients, options, progress));
  progress.end();
  if (options.json) printJson(io, results);
  else printTable(io, results.map(row), ['image', 'client', 'is given', 'digest']);
  return results.some(({ failed }) => failed !== undefined) ? exitCodes.failed : exitCodes.good;
}

function clientsFor({ for: ids, allClients }: WarmOptions): readonly KnownClient[] {
  if (allClients && !ids) return knownClients;
  if (allClients || !ids) throw new UsageError('Say for whom: either --for docker-1.13, or --all-clients.');
  const found = ids.map((id) => {
    const generation = knownClientById(id);
    if (generation) return generation;
    throw new UsageError(
      `${id} is not known here; there are ${knownClients.map((each) => each.id).join(', ')}.`,
    );
  });
  return [...new Set(found)];
}

/** Registry API v1 knows no digests. */
function canAskFor({ reference }: Omit<Job, 'generation'>, { userAgent }: KnownClient): boolean {
  return !reference.includes(':') || describeClient(userAgent).profile.apiV2;
}

async function tagsOf(
  { name, reference }: { readonly name: RepositoryName; readonly reference: Reference },
  { proxy, allTags }: WarmOptions,
  credential: StaticCredential,
): Promise<Omit<Job, 'generation'>[]> {
  if (!allTags) return [{ name, reference: reference.kind === 'tag' ? reference.tag : reference.digest }];
  const client = createUpstreamClient({
    baseUrl: proxy,
    fetch: (url, init) => fetch(url, init),
    userAgent: `regshift/${version}`,
    clock: Date.now,
    allowAnonymousTokens: true,
    background: () => undefined,
  });
  const caller = {
    credential,
    requester: () => unknownRequester,
    budget: createBudget(Number.POSITIVE_INFINITY),
  };
  const tags = await listTags(client, name, Number.POSITIVE_INFINITY, caller);
  return tags.map((tag) => ({ name, reference: tag }));
}

async function work(
  job: Job,
  clients: ReadonlyMap<KnownClient, WarmClient>,
  { wait }: WarmOptions,
  progress: Progress,
): Promise<Result> {
  const { name, reference, generation } = job;
  const image = `${name}${reference.includes(':') ? '@' : ':'}${reference}`;
  const about = `${image} for ${generation.name}`;
  const result = { image, client: generation.name };
  try {
    const client = clients.get(generation);
    if (client === undefined) throw new RegistryError('INTERNAL', 'There is no client for this.');
    const pull = () => client.pull(name, reference);
    const given = await retryAfter(pull, wait, (seconds) =>
      progress.note(`${about}: layers are being read, again in ${seconds} s`),
    );
    progress.step(`${about}: ${given.form}`);
    return { ...result, given };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    progress.step(`${about}: ${error.message}`);
    return { ...result, failed: error.message };
  }
}

function row({ image, client, given, failed }: Result): string[] {
  if (given === undefined) return [image, client, `nothing: ${failed}`];
  return [image, client, given.form, given.digest ?? ''];
}
