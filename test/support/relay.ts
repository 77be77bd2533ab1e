import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

/** A request of a client, and what it was answered. */
export interface Exchange {
  readonly method: string;
  /** As the client wrote it. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | undefined;
  /** `Docker-Content-Digest`. */
  readonly digest: string | undefined;
}

export interface Relay {
  /** Like `127.0.0.1:41234`: where clients are to go instead. */
  readonly host: string;
  readonly port: number;
  /** What passed since `forget`, in the order of the answers. */
  readonly exchanges: readonly Exchange[];
  forget(): void;
  stop(): Promise<void>;
}

/**
 * Stands between a client and a server, changes nothing and writes down what passes: what a program was given, told
 * by neither of the two.
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

/** The answers to requests for manifests, refusals too. */
export function manifestAnswers({ exchanges }: Relay): readonly Exchange[] {
  return exchanges.filter(({ path }) => path.includes('/manifests/'));
}

/** Status and type of every answer to a request for a manifest, each once. */
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

/** The client sees what it would have seen without the relay: a connection that ends. */
function cut(outgoing: ServerResponse): void {
  outgoing.destroy();
}
