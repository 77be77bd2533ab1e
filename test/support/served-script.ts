import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { type Listening, listen } from './listen.ts';
import type { Script } from './scripted-upstream.ts';

/** Serves a script over a real socket; what the script leaves is 404. */
export async function serveScript(script: Script): Promise<Pick<Listening, 'url' | 'stop'>> {
  const server = createServer(async (incoming, outgoing) => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const url = new URL(path, 'http://registry.test');
    const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
    const request = new Request(url, {
      method,
      headers: Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]),
      duplex: 'half',
      ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream } : {}),
    } as RequestInit);
    const ping = url.pathname === '/v2/' ? new Response('{}') : undefined;
    const answer = ping ?? (await script(request, url)) ?? new Response(null, { status: 404 });
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (method === 'HEAD' || answer.body === null) outgoing.end();
    else Readable.fromWeb(answer.body as NodeStream).pipe(outgoing);
  });
  return listen(server);
}
