import { setTimeout as sleep } from 'node:timers/promises';
import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import type { Platform } from '../../../converters/platform.ts';
import type { Reference, RepositoryName, Tag } from '../../../converters/reference.ts';
import { systemClock } from '../../clock.ts';
import { RegistryError } from '../../errors.ts';
import { describeClient } from '../../negotiation/client-profile.ts';
import { type KnownClient, knownClientById, knownClients } from '../../negotiation/known-clients.ts';
import { createBudget } from '../../request/budget.ts';
import { unknownRequester } from '../../request/requester.ts';
import { listTags } from '../../upstream/api/tags.ts';
import { version } from '../../version.ts';
import { createLogins } from '../docker-login.ts';
import { errorText } from '../error-text.ts';
import { readNamed } from '../images/image-name.ts';
import { commandPlatform } from '../images/open-image.ts';
import { retryAfterSeconds } from '../retry-after.ts';
import { type DataOptions, type Io, printData, printLines, withDigests } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import type { Cell } from '../terminal/text.ts';
import { exitCodes, UsageError, unknownClient } from '../usage.ts';
import { createWarmClient, type WarmClient } from '../warm/client.ts';
import { createProxyClient, type ProxyAccess } from '../warm/proxy-access.ts';
import type { Pulled } from '../warm/pulled.ts';

export interface WarmOptions extends DataOptions {
  readonly proxy: URL;
  readonly for?: readonly string[] | undefined;
  readonly allClients?: true | undefined;
  readonly allTags?: true | undefined;
  readonly platform: Platform;
  /** Seconds to wait for one image. */
  readonly wait: number;
  readonly creds?: string | undefined;
  readonly verbose?: true | undefined;
  readonly full?: true | undefined;
}

interface Job {
  readonly name: RepositoryName;
  readonly reference: Tag | Digest;
  readonly generation: KnownClient;
  readonly client: WarmClient;
}

/** A repository with a tag or digest, for any client. */
type Named = Pick<Job, 'name' | 'reference'>;

interface Result {
  readonly image: string;
  readonly client: string;
  readonly given?: Pulled;
  readonly failed?: string;
}

/** Number of parallel pulls. The proxy also reads at most four layers at once. */
const parallelPulls = 4;

/** `regshift warm`: pulls images from a proxy so that it converts them. @returns exit code 1 if a pull fails. */
export async function warm(images: readonly string[], options: WarmOptions, io: Io): Promise<number> {
  const generations = clientsFor(options);
  // The way to the proxy has the outbound proxies and authorities of the environment, as that of `serve` has.
  const { fetch: send } = commandPlatform(options.proxy, options, io);
  const named = images.map((text) => readNamed(text));
  const credential = await createLogins(io)({ registryUrl: options.proxy }, options.creds);
  const worded = (error: RegistryError) => errorText(error, 'proxy', options, io.loginFiles);
  const tagged = { ...options, worded };
  const access = { proxy: options.proxy, credential, send };
  const listed = await mapBounded(named, parallelPulls, (each) => tagsOf(each, tagged, access));
  const clients = generations.map((generation) => ({
    generation,
    client: createWarmClient(access, generation, options.platform),
  }));
  const jobs = listed
    .flatMap(({ references }) => references)
    .flatMap((each) =>
      clients
        .filter(({ generation }) => canRequest(each, generation))
        .map((client): Job => ({ ...each, ...client })),
    );
  const progress = createProgress(io, jobs.length);
  const pulled = await mapBounded(jobs, parallelPulls, (job) => run(job, tagged, progress));
  progress.end();
  const results = [...listed.flatMap((each) => unlisted(each, generations)), ...pulled];
  if (!printData(io, results, options)) printResults(results, withDigests(io, options));
  return results.some(({ failed }) => failed !== undefined) ? exitCodes.failed : exitCodes.good;
}

/** The options, and the wording of an error of the proxy. */
type Worded = WarmOptions & { readonly worded: (error: RegistryError) => string };

function clientsFor({ for: ids, allClients }: WarmOptions): readonly KnownClient[] {
  if (allClients && !ids) return knownClients;
  if (allClients || !ids)
    throw new UsageError('Name the clients: use either --for, like --for docker-1.13, or --all-clients.');
  const found = ids.map((id) => {
    const generation = knownClientById(id);
    if (generation) return generation;
    throw unknownClient(id);
  });
  return [...new Set(found)];
}

/** Tells whether a client can request the reference: registry API v1 has no digests. */
function canRequest({ reference }: Named, { userAgent }: KnownClient): boolean {
  return !reference.includes(':') || describeClient(userAgent).profile.apiV2;
}

/** The images of one name. */
interface Listed {
  readonly name: RepositoryName;
  readonly references: readonly Named[];
  /** The reason why the tags are not known. */
  readonly failed?: string;
}

/** The results for a repository whose tags are not known: one for each client, as for a tag that cannot be pulled. */
function unlisted({ name, failed }: Listed, generations: readonly KnownClient[]): Result[] {
  if (failed === undefined) return [];
  return generations.map((generation) => ({ image: name, client: generation.name, failed }));
}

async function tagsOf(
  { name, reference }: { readonly name: RepositoryName; readonly reference: Reference },
  { allTags, worded }: Worded,
  access: ProxyAccess,
): Promise<Listed> {
  if (!allTags) {
    const own = reference.kind === 'tag' ? reference.tag : reference.digest;
    return { name, references: [{ name, reference: own }] };
  }
  const client = createProxyClient(access, { userAgent: `regshift/${version}` });
  const context = {
    credential: access.credential,
    requester: () => unknownRequester,
    budget: createBudget(Number.POSITIVE_INFINITY),
  };
  try {
    const tags = await listTags(client, name, Number.POSITIVE_INFINITY, context);
    return { name, references: tags.map((tag) => ({ name, reference: tag })) };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { name, references: [], failed: worded(error) };
  }
}

async function run(
  { name, reference, generation, client }: Job,
  { wait, worded }: Worded,
  progress: Progress,
): Promise<Result> {
  const image = `${name}${reference.includes(':') ? '@' : ':'}${reference}`;
  const about = `${image} for ${generation.name}`;
  const result = { image, client: generation.name };
  try {
    const given = await retryAfter(
      () => client.pull(name, reference),
      wait,
      (seconds) => progress.note(`${about}: the proxy reads layers, next try in ${seconds} s`),
    );
    progress.step(`${about}: ${given.form}`);
    return { ...result, given };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    progress.step(`${about}: nothing`);
    return { ...result, failed: worded(error) };
  }
}

/** Prints a table, and each error once below it. */
function printResults(results: readonly Result[], io: Io): void {
  const rows = results.map(({ image, client, given }): Cell[] => [
    image,
    client,
    given?.form ?? { text: 'nothing', color: 'red' },
    given?.digest ?? '',
  ]);
  printTable(io, rows, ['image', 'client', 'gets', 'digest']);
  const failures = Map.groupBy(
    results.filter(({ failed }) => failed !== undefined),
    ({ failed }) => failed ?? '',
  );
  for (const [why, failed] of failures) {
    const names = [...Map.groupBy(failed, ({ image }) => image)].map(
      ([image, each]) => `${image} for ${each.map(({ client }) => client).join(', ')}`,
    );
    printLines(io, ['', `${names.join('; ')}: ${why}`]);
  }
}

/** Retries as the proxy's `Retry-After` says, for `wait` seconds at most. @throws RegistryError. */
async function retryAfter<Value>(
  pull: () => Promise<Value>,
  wait: number,
  onWait: (seconds: number) => void,
): Promise<Value> {
  const until = systemClock() + wait * 1000;
  for (;;) {
    try {
      return await pull();
    } catch (error) {
      const seconds = error instanceof RegistryError ? secondsToWait(error) : undefined;
      if (seconds === undefined || systemClock() + seconds * 1000 > until) throw error;
      onWait(seconds);
      await sleep(seconds * 1000);
    }
  }
}

function secondsToWait({ headers }: RegistryError): number | undefined {
  return retryAfterSeconds(headers['retry-after'] ?? headers['Retry-After']);
}
