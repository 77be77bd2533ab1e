import type { Handler } from 'hono';
import type { Env } from './env.ts';
import type { Page, PageOptions } from './page/page.ts';

/**
 * The page, whose code loads with the first request for it: a proxy that only serves pulls starts without it, and
 * needs no memory for it.
 */
export function createPageLoader(options: PageOptions): Page {
  let loading: Promise<Page> | undefined;
  const load = () => {
    loading ??= import('./page/page.ts').then(({ createPage }) => createPage(options));
    return loading;
  };
  const handler =
    (name: keyof Page): Handler<Env> =>
    async (context, next) =>
      (await load())[name](context, next);
  return { show: handler('show'), file: handler('file'), names: handler('names') };
}
