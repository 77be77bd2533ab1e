import type { Context } from 'hono';
import { html } from 'hono/html';
import { editDistance } from '../../edit-distance.ts';
import { RegistryError } from '../../errors.ts';
import { parseNamedImage } from '../../registry/inspection/named-image.ts';
import { listKnownTags } from '../../upstream/api/tags.ts';
import type { Env } from '../env.ts';
import { type Html, pageLink, shown } from './document.ts';
import { allNames, namesOf } from './suggestions.ts';

/** Most tags, and names of repositories, that are read for one text. */
const mostTags = 200;
const mostNames = 1_000;

/** Most tags, and names, that are shown. */
const shownTags = 24;
const shownNames = 6;

/** Longest name that is compared letter by letter. */
const longest = 100;

/**
 * The tags of a repository without the wanted one, or repositories with a similar name: the viewer may have misspelt it.
 * The registry is asked with the viewer's own right, within the requests that the viewer's request may cause; where it
 * refuses, there is nothing to choose from.
 * @param error the failure of the look-up.
 */
export async function alternativesHtml(
  context: Context<Env>,
  text: string,
  { code }: RegistryError,
): Promise<Html | ''> {
  try {
    if (code === 'NAME_INVALID') return namesHtml(validNames(text));
    if (code !== 'MANIFEST_UNKNOWN' && code !== 'NAME_UNKNOWN') return '';
    const named = parseNamedImage(text);
    if ('problem' in named) return '';
    const tag = named.reference.kind === 'tag' ? named.reference.tag : '';
    const tags = await tagsBeside(context);
    return tags.length > 0
      ? tagsHtml(named.name, tag, tags)
      : namesHtml(similarNames(named.name, await namesBeside(context)));
  } catch (thrown) {
    if (thrown instanceof RegistryError || context.get('received').context.signal?.aborted) return '';
    throw thrown;
  }
}

/** A name in upper case is valid in lower case. */
function validNames(text: string): string[] {
  const lower = text.toLowerCase();
  return 'problem' in parseNamedImage(lower) ? [] : [lower];
}

/** The tags of the repository; none if there is no such repository, or if it is not served. */
async function tagsBeside(context: Context<Env>): Promise<readonly string[]> {
  const repository = context.get('request')?.repository;
  if (repository === undefined) return [];
  const { registry } = context.get('route');
  if (!registry.serves(repository.upstream)) return [];
  return listKnownTags(registry.client, repository.upstream, mostTags, context.get('request').context);
}

/** The repositories of the route of the request; those of all routes if the name led to none. */
function namesBeside(context: Context<Env>): Promise<readonly string[]> {
  const route = context.get('route');
  return route
    ? namesOf(context.get('host'), route, context.get('request'), mostNames)
    : allNames(context, mostNames);
}

function similarNames(wanted: string, names: readonly string[]): string[] {
  return nearestFirst(
    wanted,
    names.filter((name) => isSimilar(wanted, name)),
  ).slice(0, shownNames);
}

/** Whether a name is at most two letters away, has the same last part, or has the other one in it. */
function isSimilar(wanted: string, name: string): boolean {
  if (name === wanted) return false;
  const last = (each: string) => each.slice(each.lastIndexOf('/') + 1);
  if (last(name) === last(wanted) || name.includes(wanted)) return true;
  const isNear = Math.abs(name.length - wanted.length) <= 2 && name.length <= longest;
  return isNear && editDistance(wanted, name) <= 2;
}

function nearestFirst(wanted: string, words: readonly string[]): string[] {
  const cut = (word: string) => word.slice(0, longest);
  return words
    .map((word) => ({ word, distance: editDistance(cut(wanted), cut(word)) }))
    .sort((one, other) => one.distance - other.distance)
    .map(({ word }) => word);
}

function tagsHtml(name: string, tag: string, tags: readonly string[]): Html {
  const nearest = nearestFirst(tag, tags).slice(0, shownTags);
  const count = tags.length === mostTags ? `the first ${mostTags}` : String(tags.length);
  const rest = nearest.length < tags.length ? `: the ${nearest.length} most similar of ${count}` : '';
  return choicesHtml(
    `Tags of ${name}${rest}`,
    nearest.map((each) => [`${name}:${each}`, each]),
  );
}

function namesHtml(names: readonly string[]): Html | '' {
  if (names.length === 0) return '';
  return choicesHtml(
    'Did you mean one of these?',
    names.map((name) => [name, name]),
  );
}

function choicesHtml(title: string, choices: readonly (readonly [image: string, label: string])[]): Html {
  return html`<section><h2>${shown(title)}</h2>
<ul class="platforms">${choices.map(([image, label]) => html`<li><a href="${pageLink({ image })}">${shown(label)}</a></li>`)}</ul></section>`;
}
