/** What a process of Node holds, after a collection of garbage. */
export interface Held {
  /** Bytes of the JavaScript heap that are in use. */
  readonly heap: number;
  /** How many of each kind keep the process alive, as `process.getActiveResourcesInfo` names them. */
  readonly resources: Readonly<Record<string, number>>;
}

export interface ProcessInspector {
  held(): Promise<Held>;
  close(): void;
}

interface Reply {
  readonly id?: number;
  readonly result?: { readonly result?: { readonly value?: string } };
}

/** For the environment of a process that is to be looked into: the inspector listens on a port of its own choice. */
export const inspectable = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

/**
 * Looks into a process of Node through its inspector, so that nothing of the test runs in there.
 * @param output what the process has written: it names the inspector's address (node, src/inspector_socket_server.cc).
 */
export async function inspectProcess(output: string): Promise<ProcessInspector> {
  const address = /Debugger listening on (ws:\S+)/.exec(output)?.[1];
  if (address === undefined) throw new Error(`the process names no inspector: ${output.slice(0, 500)}`);
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)), { once: true });
  });
  let last = 0;
  const call = (method: string, params: object = {}) => {
    last += 1;
    const id = last;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    const listen = ({ data }: MessageEvent) => {
      const reply = JSON.parse(String(data)) as Reply;
      if (reply.id !== id) return;
      socket.removeEventListener('message', listen);
      resolve(reply);
    };
    socket.addEventListener('message', listen);
    socket.send(JSON.stringify({ id, method, params }));
    return promise;
  };
  return {
    async held() {
      // What a finalizer lets go of is collected the second time.
      for (let times = 0; times < 3; times += 1) await call('HeapProfiler.collectGarbage');
      const expression =
        'JSON.stringify({ heap: process.memoryUsage().heapUsed, names: process.getActiveResourcesInfo() })';
      const { result } = await call('Runtime.evaluate', { expression, returnByValue: true });
      const { heap, names } = JSON.parse(result?.result?.value ?? '') as { heap: number; names: string[] };
      const counts = Map.groupBy(names, (name) => name);
      return { heap, resources: Object.fromEntries([...counts].map(([name, all]) => [name, all.length])) };
    },
    close: () => socket.close(),
  };
}
