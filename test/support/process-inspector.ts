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
  /** The memory and the resources as they are, without a garbage collection. */
  now(): Promise<Held>;
  /**
   * Heap snapshots in the format of V8, of the main thread and of each worker thread. V8 collects garbage first, so
   * they have only what the program can reach.
   */
  snapshots(): Promise<readonly string[]>;
  close(): void;
}

/** A message of the inspector's protocol: the reply to a command, or an event. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly chunk?: string; readonly sessionId?: string; readonly message?: string };
  readonly result?: { readonly result?: { readonly value?: string } };
}

/** The inspector of one thread. */
interface Channel {
  send(text: string): void;
  /** Calls back with each message until the returned function is called. */
  subscribe(listen: (message: Message) => void): () => void;
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
  const main: Channel = {
    send: (text) => socket.send(text),
    subscribe(listen) {
      const onMessage = ({ data }: MessageEvent) => listen(JSON.parse(String(data)) as Message);
      socket.addEventListener('message', onMessage);
      return () => socket.removeEventListener('message', onMessage);
    },
  };
  const now = async (): Promise<Held> => {
    const expression =
      'JSON.stringify({ heap: process.memoryUsage().heapUsed, names: process.getActiveResourcesInfo() })';
    const { result } = await call(main, 'Runtime.evaluate', { expression, returnByValue: true });
    const { heap, names } = JSON.parse(result?.result?.value ?? '') as { heap: number; names: string[] };
    const counts = Map.groupBy(names, (name) => name);
    return { heap, resources: Object.fromEntries([...counts].map(([name, all]) => [name, all.length])) };
  };
  return {
    now,
    async held() {
      // Objects that a finalizer releases are collected in the next round.
      for (let times = 0; times < 3; times += 1) await call(main, 'HeapProfiler.collectGarbage');
      return now();
    },
    async snapshots() {
      const taken: string[] = [];
      for (const thread of [main, ...(await workersOf(main))]) taken.push(await snapshotOf(thread));
      return taken;
    },
    close: () => socket.close(),
  };
}

let lastId = 0;

/** Sends a command. @param onEvent gets the events before the reply. */
async function call(
  channel: Channel,
  method: string,
  params: object = {},
  onEvent: (event: Message) => void = () => undefined,
): Promise<Message> {
  lastId += 1;
  const id = lastId;
  const { promise, resolve } = Promise.withResolvers<Message>();
  const stop = channel.subscribe((message) => {
    if (message.id === undefined) onEvent(message);
    else if (message.id === id) resolve(message);
  });
  channel.send(JSON.stringify({ id, method, params }));
  return promise.finally(stop);
}

/** The worker threads, whose messages go through the main thread (Node's inspector domain `NodeWorker`). */
async function workersOf(main: Channel): Promise<Channel[]> {
  const sessions: string[] = [];
  await call(main, 'NodeWorker.enable', { waitForDebuggerOnStart: false }, ({ method, params }) => {
    if (method === 'NodeWorker.attachedToWorker' && params?.sessionId) sessions.push(params.sessionId);
  });
  return sessions.map((sessionId) => ({
    send: (message) => void call(main, 'NodeWorker.sendMessageToWorker', { sessionId, message }),
    subscribe: (listen) =>
      main.subscribe(({ method, params }) => {
        const isOwn = method === 'NodeWorker.receivedMessageFromWorker' && params?.sessionId === sessionId;
        if (isOwn) listen(JSON.parse(params.message ?? '{}') as Message);
      }),
  }));
}

async function snapshotOf(thread: Channel): Promise<string> {
  const chunks: string[] = [];
  await call(thread, 'HeapProfiler.takeHeapSnapshot', { reportProgress: false }, ({ method, params }) => {
    if (method === 'HeapProfiler.addHeapSnapshotChunk') chunks.push(params?.chunk ?? '');
  });
  return chunks.join('');
}
