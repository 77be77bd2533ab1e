/**
 * A Worker around the one of regshift, with its KV namespace, its bucket and its cache. It answers a path of its own, and
 * leaves all else to regshift.
 */
import regshift from 'regshift/worker';

// biome-ignore lint/style/noDefaultExport: Workers want one
export default {
  fetch(request: Request, env: object): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/hello') return new Response('The page of my own app.\n');
    return regshift.fetch(request, env);
  },
};
