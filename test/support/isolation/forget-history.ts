import type { World } from './world.ts';

/** Milliseconds of history that the oracle needs at most: the longest request, its windows, and the machine's stalls. */
const needed = 180_000;

/** Forgets old states of repositories, and images that no state has any more, so that a run of any length has room. */
export function forgetHistory({ upstreams, images }: World): void {
  const held = new Set<number>();
  for (const repository of upstreams.flatMap(({ repositories }) => repositories)) {
    repository.forget(performance.now() - needed);
    for (const state of repository.between(0, Number.POSITIVE_INFINITY)) {
      for (const { index } of [...state.images, ...state.tags.values()]) held.add(index);
    }
  }
  for (const index of images.keys()) if (!held.has(index)) images.delete(index);
}
