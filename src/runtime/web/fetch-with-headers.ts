import type { App } from '../../app.ts';
import type { ClientConnection } from '../../http/env.ts';

/** Answers a request on a runtime that knows responses alone: the app's own headers are set on the response. */
export async function fetchWithHeaders(
  app: Pick<App, 'fetch'>,
  request: Request,
  connection: Pick<ClientConnection, 'peerAddress'>,
): Promise<Response> {
  const announced: [name: string, value: string][] = [];
  const setHeader = (name: string, value: string) => void announced.push([name, value]);
  const response = await app.fetch(request, { ...connection, setHeader });
  for (const [name, value] of announced) response.headers.set(name, value);
  return response;
}
