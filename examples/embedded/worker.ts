/**
 * A Worker with regshift in it. The paths of the registry APIs are regshift's; all others are the Worker's own.
 *
 *     npx wrangler dev
 */
import { env, waitUntil } from 'cloudflare:workers';
import { createApp } from 'regshift';

const regshift = createApp(env, {
  waitUntil,
  fetch: (url, init) => fetch(url, { ...init, cache: 'no-store' }),
});

// biome-ignore lint/style/noDefaultExport: Workers want one
export default {
  fetch(request: Request): Response | Promise<Response> {
    if (!regshift.handles(request)) return new Response('The page of my own app.\n');
    // Cloudflare sets this header and replaces the client's.
    return regshift.fetch(request, { clientAddress: request.headers.get('cf-connecting-ip') ?? undefined });
  },
};
