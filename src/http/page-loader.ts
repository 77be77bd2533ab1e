import type { Handler } from 'hono';
import { version } from '../version.ts';
import type { Env } from './env.ts';
import type { Page, PageOptions } from './page/page.ts';

/**
 * The page, whose code loads with the first request for it: a proxy that only serves pulls starts without it, and
 * needs no memory for it.
 */
export function createPageLoader(options: PageOptions): Page {
  let page: Page | undefined;
  // The promise is not kept: on Workers, a request must not wait for one of another request.
  const load = async () => {
    page ??= (await import('./page/page.ts')).createPage(options);
    return page;
  };
  const handler =
    (name: keyof Page): Handler<Env> =>
    async (context, next) =>
      (await load())[name](context, next);
  return { show: handler('show'), file: handler('file'), names: handler('names') };
}

/** `GET /`: a few lines of text. @param hasPage a browser gets the page instead. */
export function about(hasPage: boolean): Handler<Env> {
  return async (context, next) => {
    if (hasPage && wantsHtml(context.req.raw.headers.get('accept'))) return next();
    return context.text(lines, 200, { Vary: 'Accept' });
  };
}

/** Whether a request is from a browser: every browser names HTML in `Accept` of an address that its user opens. */
export function wantsHtml(accept: string | null): boolean {
  return /(?:^|[,\s])text\/html(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(accept ?? '');
}

const lines = `regshift ${version}
One registry, every client: pull from this address as from any container registry.
Each client is given an image in the form that it can read.
`;
