import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

/** A client's request and its response. */
export interface Exchange {
  readonly method: string;
  /** The path as the client wrote it. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | undefined;
  /** `Docker-Content-Digest`. */
  readonly digest: string | undefined;
}

export interface Relay {
  /** The address for clients, like `127.0.0.1:41234`. */
  readonly host: string;
  readonly port: number;
  /** The exchanges since `forget`, in the order of the responses. */
  readonly exchanges: readonly Exchange[];
  forget(): void;
  stop(): Promise<void>;
}

/**
 * Starts a relay between a client and a server, which changes nothing and records what passes, independently of both.
 */
export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port: targetPort } = new URL(target);
  const exchanges: Exchange[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url: path = '', rawHeaders: headers } = incoming;
    const onward = request({
      hostname,
      port: targetPort,
      method,
      path,
      headers,
      setHost: false,
      agent: false,
    });
    onward.on('response', (answer) => {
      exchanges.push({ method, path, ...facts(answer) });
      outgoing.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    onward.on('error', () => cut(outgoing));
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  const { host, port, stop } = await listen(server);
  return {
    host,
    port,
    exchanges,
    forget: () => {
      exchanges.length = 0;
    },
    stop,
  };
}

/** The responses to requests for manifests, with the refusals. */
export function manifestAnswers({ exchanges }: Relay): readonly Exchange[] {
  return exchanges.filter(({ path }) => path.includes('/manifests/'));
}

/** Status and media type of the responses to requests for manifests, each once. */
export function manifestTypes(relay: Relay): string[] {
  const answers = manifestAnswers(relay).map(({ status, contentType }) => `${status} ${contentType}`);
  return [...new Set(answers)].toSorted();
}

function facts({ statusCode: status = 0, headers }: IncomingMessage): Omit<Exchange, 'method' | 'path'> {
  const digest = headers['docker-content-digest'];
  return {
    status,
    contentType: headers['content-type'],
    digest: typeof digest === 'string' ? digest : undefined,
  };
}

/** Ends the client's connection, as the server did without the relay. */
function cut(outgoing: ServerResponse): void {
  outgoing.destroy();
}
