import type { RawResponse } from '../raw-http.ts';
import { pathIn, textOf } from './call.ts';
import type { Rule } from './rule.ts';

const nextIn = (link: string | undefined) => /<([^>]*)>/.exec(link ?? '')?.[1];

const repositoriesIn = ({ body }: RawResponse) =>
  (JSON.parse(textOf(body)) as { readonly repositories: readonly string[] }).repositories.map((name) =>
    name.replace(/^mirror\//, ''),
  );

export const listRules: readonly Rule[] = [
  {
    name: 'no tags',
    reason: 'docker-registry writes `null` for no tags, which the specification does not have.',
    explains: ({ straight, through }) =>
      textOf(straight.body).includes('"tags":null') && textOf(through.body).includes('"tags":[]')
        ? ['body']
        : [],
  },
  {
    name: 'last page of the catalog',
    reason:
      'docker-registry names a next page after each full page, and the page may be empty. A route of a part of a host ' +
      'names one only if it has repositories, and names itself in the link (docs/routes.md).',
    async explains({ straight, through }, world) {
      const next = nextIn(straight.header('Link'));
      if (!world.settings.byPath || next === undefined) return [];
      const own = nextIn(through.header('Link'));
      const names = (link: string) =>
        new URL(link, 'http://x').searchParams.get('last')?.replace(/^mirror\//, '');
      if (own !== undefined) return names(own) === names(next) && own.includes('route=') ? ['Link'] : [];
      const call = { kind: 'catalog', method: 'GET', path: pathIn(next) } as const;
      const { straight: page } = await world.ask(call, call, 0);
      return textOf(page.body).includes('"repositories":[]') ? ['Link'] : [];
    },
  },
  {
    name: 'longer pages of the catalog',
    reason:
      'A route of a part of a host reads pages of 1,000 names, and a client that asks for no length gets all of them ' +
      '(src/http/v2/catalog.ts).',
    explains({ call, straight, through }, { settings }) {
      const isAll = settings.byPath && call.path === '/v2/_catalog' && through.header('Link') === undefined;
      if (!isAll || straight.status !== 200 || through.status !== 200 || call.method !== 'GET') return [];
      const [page, all] = [repositoriesIn(straight), repositoriesIn(through)];
      return page.every((name, at) => name === all[at]) ? ['Link', 'body'] : [];
    },
  },
];
