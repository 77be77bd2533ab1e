import { dirname, join, normalize } from 'node:path';

/** The texts of Markdown pages by their paths. */
export type Pages = ReadonlyMap<string, string>;

/** A link of a page to a file of the repository. */
export interface Link {
  /** As it is written. */
  readonly target: string;
  /** The path in the repository. */
  readonly path: string;
  /** undefined for the whole file. */
  readonly anchor: string | undefined;
}

/** The links of a page that stay in the repository: of Markdown, by reference, and of HTML. */
export function linksOf(page: string, text: string): Link[] {
  const prose = withoutCode(text);
  const forms = [/\]\(\s*<?([^)\s>]+)/g, /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/gm, /\b(?:href|src)="([^"]+)"/g];
  const targets = forms.flatMap((form) => [...prose.matchAll(form)].map(([, target = '']) => target));
  return targets.filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target)).map((each) => linkTo(page, each));
}

function linkTo(page: string, target: string): Link {
  const [path = '', anchor] = target.split('#');
  return { target, path: path === '' ? page : normalize(join(dirname(page), path)), anchor };
}

/** The anchors of a page: those that GitHub makes of its headings, and those that it names. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const prose = withoutFences(text);
  const headings = [...prose.matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)].map(([, heading = '']) => heading);
  const named = [...prose.matchAll(/<[a-z]+ [^>]*\b(?:id|name)="([^"]+)"/g)].map(([, name = '']) => name);
  const anchors = new Set<string>();
  for (const heading of headings) {
    const anchor = anchorOf(heading);
    // A heading that is there already gets a number.
    let free = anchor;
    for (let count = 1; anchors.has(free); count++) free = `${anchor}-${count}`;
    anchors.add(free);
  }
  return new Set([...anchors, ...named]);
}

/** Lower case; letters, digits, `_` and `-` stay, and each space becomes `-`. Of a link, its text counts. */
function anchorOf(heading: string): string {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return text.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
}

/**
 * The links that lead nowhere, as `page: target`.
 * @param isFile tells whether a path of the repository is there.
 */
export function brokenLinks(pages: Pages, isFile: (path: string) => boolean): string[] {
  return [...pages].flatMap(([page, text]) =>
    linksOf(page, text)
      .filter(({ path, anchor }) => {
        const target = pages.get(path);
        if (anchor === undefined || target === undefined) return !isFile(path);
        return !anchorsOf(target).has(anchor);
      })
      .map(({ target }) => `${page}: ${target}`),
  );
}

/** The pages that are reached from a page by links, itself included. */
export function reachedFrom(start: string, pages: Pages): ReadonlySet<string> {
  const reached = new Set<string>();
  const next = [start];
  for (let page = next.pop(); page !== undefined; page = next.pop()) {
    const text = pages.get(page);
    if (text === undefined || reached.has(page)) continue;
    reached.add(page);
    next.push(...linksOf(page, text).map(({ path }) => path));
  }
  return reached;
}

/** The names of pages that another text than Markdown tells: a message, a comment, a file of settings. */
export function namedPages(text: string): Link[] {
  const names = text.match(/(?<![\w./-])(?:docs|deploy|converters)\/[\w./-]+\.md(?:#[\w-]+)?/g) ?? [];
  return names.map((name) => linkTo('', name));
}

/** A text with the names of pages in place of links: editors show descriptions as plain text. */
export function withoutLinks(text: string): string {
  return text.replace(/\[[^\]]+\]\(([^)#]+)[^)]*\)/g, 'docs/$1');
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/`[^`\n]*`/g, '');
}

function withoutFences(text: string): string {
  return text.replace(/^( *)(```+|~~~+)[\s\S]*?^\1\2 *$/gm, '');
}
