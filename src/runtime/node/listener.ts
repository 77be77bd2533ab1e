import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { App } from '../../app.ts';
import { nativeBody } from './http-fetch.ts';
import { questionOf } from './question.ts';
import { relay } from './relay.ts';

/** The program as Node's HTTP server calls it. */
export type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** Bodies of upstream that nobody has looked into go from socket to socket, without streams of the web between. */
export function createListener(app: App): Listener {
  const listener = getRequestListener(async (request, bindings) => {
    // No server of ours speaks HTTP/2.
    const { incoming, outgoing } = bindings as HttpBindings;
    const { remoteAddress, localPort } = incoming.socket;
    const question = questionOf(incoming);
    const response = await app.fetch(request, { peerAddress: remoteAddress, port: localPort, question });
    const body = nativeBody(response.body);
    if (body === undefined) return response;
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    relay(body, outgoing, response.headers.get('content-length'));
    return RESPONSE_ALREADY_SENT;
  });
  return (incoming, outgoing) => {
    // HTTP/1.0 needs none, and what only asks whether somebody is there often sends none (HAProxy's `httpchk`).
    incoming.headers.host ??= reachedHost(incoming.socket);
    const question = questionOf(incoming);
    const held = question === undefined ? undefined : app.again(question);
    if (held === undefined) return void listener(incoming, outgoing);
    outgoing.writeHead(200, held.headers);
    outgoing.end(incoming.method === 'HEAD' ? undefined : held.body);
  };
}

function reachedHost({ localAddress = '', localPort }: Socket): string {
  return `${isIPv6(localAddress) ? `[${localAddress}]` : localAddress}:${localPort}`;
}
