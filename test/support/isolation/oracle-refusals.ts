import type { Answered } from './ask.ts';
import { textOf } from './markers.ts';
import { mayRead, type Repository } from './repository.ts';
import type { World } from './world.ts';

/** Milliseconds for which a read or a conversion that met a fault can continue; measured stalls are added. */
export const longestWork = 2_500;

/** @returns a violation when a healthy registry's user with the right is refused. */
export function refusalComplaint(
  { stalls }: Pick<World, 'stalls'>,
  { ask, answer, start, end }: Answered,
): string | undefined {
  const before = stalls.extend(longestWork, start, end);
  const { repository, honest, upstream, user } = ask;
  if (!honest || !repository || repository.options.flaw || ask.leavesAfter !== undefined) return undefined;
  if (typeof answer !== 'string' && (answer.status < 400 || answer.status === 416)) return undefined;
  if (!hadRight(repository, answered(start, end))) return undefined;
  if (upstream.flaps.explains(user, repository.options.index, start - before, end)) return undefined;
  if (typeof answer === 'string') return `the answer ${answer === 'cut' ? 'broke off' : 'did not come'}`;
  const words = textOf(answer.body);
  // A 404 to HEAD has no body that tells its reason.
  if (isUnsupported(answer.status, words) || (ask.method === 'HEAD' && answer.status === 404))
    return undefined;
  return `${answer.status} for somebody with the right, while the registry was well: ${words.slice(0, 400)}`;

  function answered(from: number, to: number) {
    return repository?.between(from - before, to) ?? [];
  }

  function hadRight(_: Repository, states: ReturnType<typeof answered>): boolean {
    return states.every((state) => mayRead(state, user) && holdsStill(state));
  }

  function holdsStill({ tags, images }: ReturnType<typeof answered>[number]): boolean {
    const { reference, kind } = ask;
    if (kind === 'tags' || reference === undefined) return tags.size > 0;
    if (!reference.startsWith('sha256:')) return tags.has(reference);
    return [...images].some((image) => image.digests.has(reference));
  }
}

/** Whether the refusal says that the image exists and that this client reads no form of it. */
function isUnsupported(status: number, words: string): boolean {
  return status === 406 || (status === 404 && /"code":"UNSUPPORTED"/.test(words));
}
