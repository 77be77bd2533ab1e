import * as z from 'zod/mini';
import { listedParts } from '../listed-parts.ts';
import { findKnownClient, type KnownClient, knownClients } from '../negotiation/known-clients.ts';
import { notSet, type RawSettings, type SettingProblem } from './problem.ts';
import { readText } from './read-text.ts';
import { redactedPart } from './redacted.ts';

/** Clients like `docker-1.13`, with commas between them; `none` for none. */
const clients = readText((text, refuse): readonly KnownClient[] => {
  if (text.trim() === 'none') return [];
  const ids = listedParts(text);
  return ids.flatMap((id) => {
    const client = findKnownClient(id);
    if (client) return [client];
    const known = knownClients.map((each) => each.id).join(', ');
    refuse(
      `must be clients with commas between them, of ${known}, or none; ${redactedPart('REGSHIFT_WARM', id)} is no client`,
    );
    return [];
  });
});

const defaultClients = ['docker-1.9', 'docker-1.13', 'docker-20.10'].flatMap(
  (id) => findKnownClient(id) ?? [],
);

const secretForm =
  'must have 16 characters or more, and no spaces: a random text, like that of openssl rand -hex 32';
const secret = z.string().check(z.regex(/^[\x21-\x7e]{16,512}$/, secretForm));

/** Settings of the notifications of registries. */
export const eventFields = {
  REGSHIFT_EVENTS_SECRET: z.optional(secret),
  REGSHIFT_WARM: z._default(clients, defaultClients),
};

/** Requires the secret beside what it opens: without it, nothing is made ahead. */
export function eventProblems(raw: RawSettings): SettingProblem[] {
  if (raw.REGSHIFT_WARM === undefined || raw.REGSHIFT_EVENTS_SECRET !== undefined) return [];
  const message =
    'must be set, because REGSHIFT_WARM is set: images are made ahead when a registry notifies regshift with this secret ' +
    '(docs/events.md)';
  return [{ variable: 'REGSHIFT_EVENTS_SECRET', value: notSet, message }];
}
