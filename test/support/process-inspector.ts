/** The memory and the resources of a Node process after a garbage collection. */
export interface Held {
  /** Bytes of the JavaScript heap that are in use. */
  readonly heap: number;
  /**
   * The number of resources of each kind that keep the process alive, by the names of `process.getActiveResourcesInfo`.
   */
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

/** Environment of a process that can be inspected: its inspector takes a free port. */
export const inspectable = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

/**
 * Inspects a Node process through its inspector, so that no code of the test runs in it.
 * @param output the output of the process, which names the inspector's address (node, src/inspector_socket_server.cc).
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
      // Objects that a finalizer releases are collected in the next round.
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
