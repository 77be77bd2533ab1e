import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import type { TestImage } from './images.ts';
import { marker } from './markers.ts';

/** The readers and the content of a repository, between two changes. */
export interface RepositoryState {
  /** Milliseconds of `performance.now()`. */
  readonly from: number;
  /** Indexes of users. */
  readonly readers: ReadonlySet<number> | 'everyone';
  readonly tags: ReadonlyMap<string, TestImage>;
  /** The images, with those without a tag. */
  readonly images: ReadonlySet<TestImage>;
}

/** The registry's refusal of a user without the right. */
export type Refusal = 'challenge' | 'denied' | 'unknown';

export interface RepositoryOptions {
  readonly index: number;
  readonly upstream: number;
  readonly refusal: Refusal;
  /** Whether blobs are on another host, behind redirects. */
  readonly redirects: boolean;
  /** A permanent fault of the repository. */
  readonly flaw?: 'quota' | 'wrong-layers' | undefined;
}

/** A repository of one upstream, with the exact history of its registry's responses. */
export class Repository {
  readonly options: RepositoryOptions;
  readonly name: string;
  /** The name of its owner in the registry's refusals. */
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

  /** Changes the state from now on. */
  change(change: Partial<Omit<RepositoryState, 'from'>>): void {
    this.#states.push({ ...this.now, ...change, from: performance.now() });
  }

  /** Forgets the states that ended before a moment. */
  forget(before: number): void {
    this.#states = this.#states.filter((_, at) => (this.#states[at + 1]?.from ?? before) >= before);
  }

  /** All states that existed between two moments. */
  between(start: number, end: number): RepositoryState[] {
    return this.#states.filter(
      ({ from }, at) => from <= end && (this.#states[at + 1]?.from ?? Number.POSITIVE_INFINITY) >= start,
    );
  }
}

/** The name, the same in each upstream. It has two parts, the first of letters alone, which Docker 1.3 accepts. */
export function repositoryName(index: number): string {
  return `vault/${marker('repository', index)}`;
}

/** The index of the project: upstreams have different projects under the same names. */
export function projectIndex({ index, upstream }: Pick<RepositoryOptions, 'index' | 'upstream'>): number {
  return upstream * 1000 + index;
}

export function mayRead({ readers }: RepositoryState, user: number | undefined): boolean {
  return readers === 'everyone' || (user !== undefined && readers.has(user));
}

/** Whether the image has content with the digest, stored or decompressed. */
export function isPartOf(digest: string, image: TestImage): boolean {
  return digest === emptyLayer.digest || digest === emptyLayer.diffId || image.digests.has(digest);
}
