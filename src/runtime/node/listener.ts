import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { App } from '../../app.ts';
import type { Again, Asking } from '../../repetition.ts';
import type { Connection } from '../../routes/connection.ts';
import type { HeldAnswer } from '../../routes/held-answers.ts';
import { bodyPassedThrough } from '../../routes/pass-through.ts';
import { nativeBody } from './incoming-body.ts';
import { questionOf } from './question.ts';
import { relay } from './relay.ts';
import { createWhenSent } from './when-sent.ts';

/** The program as Node's HTTP server calls it. */
export interface Listener {
  readonly listen: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  /** How many answers are being made or sent. */
  readonly answering: () => number;
  readonly isAnswering: (socket: Socket) => boolean;
  /** From now on each answer says that it is the last one on its connection (RFC 9112, section 9.6). */
  readonly lastAnswers: () => void;
}

export function createListener(app: App): Listener {
  const known = new WeakMap<IncomingMessage, Known>();
  const listener = createSlowListener(app, (incoming) => known.get(incoming));
  const open = new Set<ServerResponse>();
  let last = false;
  return {
    answering: () => open.size,
    isAnswering: (socket) => [...open].some((each) => each.socket === socket),
    lastAnswers() {
      last = true;
      for (const outgoing of open) outgoing.shouldKeepAlive = false;
    },
    listen(incoming, outgoing) {
      if (last) outgoing.shouldKeepAlive = false;
      // HTTP/1.0 needs none, and what only asks whether somebody is there often sends none (HAProxy's `httpchk`).
      incoming.headers.host ??= reachedHost(incoming.socket);
      const question = questionOf(incoming);
      const asking = question === undefined ? undefined : askingOf(question, incoming, outgoing);
      const held = asking && app.again(asking);
      if (held) return give(held, incoming, outgoing);
      open.add(outgoing);
      outgoing.once('close', () => open.delete(outgoing));
      const renewal = asking && app.renew(asking);
      if (renewal === undefined) {
        known.set(incoming, { question });
        return void listener(incoming, outgoing);
      }
      renewal
        .then((found) => {
          if ('answer' in found) return give(found, incoming, outgoing);
          known.set(incoming, { question, begun: found });
          return listener(incoming, outgoing);
        })
        .catch(() => outgoing.destroy());
    },
  };
}

/** What is known of a request before the program is called for it. */
type Known = Pick<Connection, 'question' | 'begun'>;

function askingOf(question: string, { headers, socket }: IncomingMessage, outgoing: ServerResponse): Asking {
  return {
    question,
    said: headers as Asking['said'],
    peerAddress: socket.remoteAddress,
    leaving: () => {
      const leaving = new AbortController();
      outgoing.once('close', () => outgoing.writableFinished || leaving.abort());
      return leaving.signal;
    },
  };
}

/** Bodies of upstream that nobody has looked into go from socket to socket, without streams of the web between. */
function createSlowListener(app: App, knownOf: (incoming: IncomingMessage) => Known | undefined) {
  return getRequestListener(async (request, bindings) => {
    // No server of ours speaks HTTP/2.
    const { incoming, outgoing } = bindings as HttpBindings;
    const response = await app.fetch(request, {
      peerAddress: incoming.socket.remoteAddress,
      port: incoming.socket.localPort,
      ...knownOf(incoming),
      announce: (name, value) => void (outgoing.headersSent || outgoing.setHeader(name, value)),
      whenSent: createWhenSent(incoming.socket, outgoing),
    });
    const body = nativeBody(bodyPassedThrough(response));
    if (body === undefined) return response;
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    relay(body, outgoing, response.headers.get('content-length'));
    return RESPONSE_ALREADY_SENT;
  });
}

/** As Node writes them without another look; made once for each answer. */
const lines = new WeakMap<HeldAnswer, readonly string[]>();

function linesOf(answer: HeldAnswer): readonly string[] {
  const known = lines.get(answer);
  if (known) return known;
  const made = Object.entries(answer.headers).flat();
  lines.set(answer, made);
  return made;
}

function give(
  { answer, id, ended }: Again,
  { method, socket }: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const before = socket.bytesWritten;
  outgoing.writeHead(200, [...linesOf(answer), 'X-Request-Id', id]);
  outgoing.end(method === 'HEAD' ? undefined : answer.body);
  ended({ bytes: socket.bytesWritten - before, cut: outgoing.destroyed });
}

function reachedHost({ localAddress = '', localPort }: Socket): string {
  return `${isIPv6(localAddress) ? `[${localAddress}]` : localAddress}:${localPort}`;
}
