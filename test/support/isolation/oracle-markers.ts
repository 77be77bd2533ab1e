import type { Answered } from './ask.ts';
import { type Marker, markersIn, textOf } from './markers.ts';
import { mayRead, projectIndex } from './repository.ts';
import type { World } from './world.ts';

/** Milliseconds for which a list of repositories may be old, as the registry's own response can be; measured stalls are added. */
const lately = 1_500;

/** @returns a violation when a response names things that its requester did not name and may not know. */
export function markerComplaint(
  { stalls }: Pick<World, 'stalls'>,
  { ask, answer, start, end }: Answered,
): string | undefined {
  if (typeof answer === 'string') return undefined;
  const text = `${answer.headers.map((line) => line.join(': ')).join('\n')}\n${textOf(answer.body)}`;
  const foreign = markersIn(text).filter((each) => !mayKnow(each));
  if (foreign.length === 0) return undefined;
  const [told] = foreign.map(({ kind, index }) => `${kind} ${index}`);
  const words = textOf(answer.body).slice(0, 300);
  return `${answer.status} tells of ${told}, which the requester has not named and may not know: ${words}`;

  /** Whether a token is for the requester's own login, or for none. */
  function isForRequester(told: string): boolean {
    const value = /"token":"([^"]+)"/.exec(told)?.[1];
    const owner = ask.upstream.registry.logins.ownerOf(`Bearer ${value}`);
    return owner === undefined || owner.index === ask.user;
  }

  function mayKnow({ kind, index }: Marker): boolean {
    const { upstream, repository, user, says } = ask;
    if (kind === 'user') return index === user || index === says;
    if (kind === 'token') return ask.kind === 'token' && isForRequester(text);
    if (kind === 'password') return false;
    // The oracle of access checks the right to content (oracle-access.ts).
    if (kind === 'image') return repository !== undefined;
    const found = upstream.repositories.find(({ options }) =>
      kind === 'repository' ? options.index === index : projectIndex(options) === index,
    );
    if (!found) return false;
    return (
      found === repository ||
      found.between(start - stalls.extend(lately, start, end), end).some((state) => mayRead(state, user))
    );
  }
}
