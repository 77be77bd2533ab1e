import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import type { TestImage } from './images.ts';
import { marker } from './markers.ts';

/** Who may read a repository, and what is in it, for as long as it stays so. */
export interface RepositoryState {
  /** Milliseconds of `performance.now()`. */
  readonly from: number;
  /** Indexes of users. */
  readonly readers: ReadonlySet<number> | 'everyone';
  readonly tags: ReadonlyMap<string, TestImage>;
  /** Those without a tag too. */
  readonly images: ReadonlySet<TestImage>;
}

/** How a registry refuses what a user may not read. */
export type Refusal = 'challenge' | 'denied' | 'unknown';

export interface RepositoryOptions {
  readonly index: number;
  readonly upstream: number;
  readonly refusal: Refusal;
  /** Blobs are on another host, where redirects lead. */
  readonly redirects: boolean;
  /** Wrong for as long as the repository is there. */
  readonly flaw?: 'quota' | 'wrong-layers' | undefined;
}

/** A repository of one upstream, with the exact history of all that its registry would have answered. */
export class Repository {
  readonly options: RepositoryOptions;
  readonly name: string;
  /** What the registry calls its owner in refusals. */
  readonly project: string;
  #states: RepositoryState[];

  constructor(options: RepositoryOptions, first: Omit<RepositoryState, 'from'>) {
    this.options = options;
    this.name = repositoryName(options.index);
    this.project = `project ${marker('project', projectIndex(options))}`;
    this.#states = [{ ...first, from: performance.now() }];
  }

  get now(): RepositoryState {
    return this.#states.at(-1) as RepositoryState;
  }

  /** From this moment on. */
  change(change: Partial<Omit<RepositoryState, 'from'>>): void {
    this.#states.push({ ...this.now, ...change, from: performance.now() });
  }

  /** All states that there were at some time between two moments. */
  between(start: number, end: number): RepositoryState[] {
    return this.#states.filter(
      ({ from }, at) => from <= end && (this.#states[at + 1]?.from ?? Number.POSITIVE_INFINITY) >= start,
    );
  }
}

/** The same in each upstream. Two parts, the first of letters alone: Docker 1.3 takes it. */
export function repositoryName(index: number): string {
  return `vault/${marker('repository', index)}`;
}

/** Upstreams have their own projects under the same names. */
export function projectIndex({ index, upstream }: Pick<RepositoryOptions, 'index' | 'upstream'>): number {
  return upstream * 1000 + index;
}

export function mayRead({ readers }: RepositoryState, user: number | undefined): boolean {
  return readers === 'everyone' || (user !== undefined && readers.has(user));
}

/** Whether the digest is of something that the image is made of, as stored or decompressed. */
export function isPartOf(digest: string, image: TestImage): boolean {
  return digest === emptyLayer.digest || digest === emptyLayer.diffId || image.digests.has(digest);
}
