import { type Metrics, noMetrics } from '../../../observability/metrics.ts';

/**
 * Runs the file operations of a store, a few at once. Node runs them in the thread pool of libuv, which also
 * decompresses, computes digests, resolves names and reads files of settings. A file system that hangs, like an NFS
 * whose server is away, never gives a thread back. It gets a part of the pool only.
 */
export interface FileOperations {
  /**
   * Runs an operation, and waits for it. An operation past its time limit goes on and keeps its place.
   * @param options.isPatient waits for a place however long that takes: an operation that has to happen in the end.
   * @param options.ended called once, when the operation is really over, or is refused.
   * @throws FolderHangs if the operation exceeds its time limit, or if operations that did so have all places; the
   *   error of the operation.
   */
  run<Value>(kind: OperationKind, work: () => Promise<Value>, options?: RunOptions<Value>): Promise<Value>;
  /** Whether operations past their time limit have all places. */
  isHung(): boolean;
  /** Counts operations past their time limit in these metrics from now on. A start looks at the folder before it has any. */
  countIn(metrics: HungMetrics): void;
}

type HungMetrics = Pick<Metrics, 'storeHung'>;

/** `sync` writes a whole file to its disk, which may take minutes. It leaves a place to other operations. */
export type OperationKind = 'quick' | 'sync';

export interface RunOptions<Value> {
  readonly isPatient?: boolean;
  readonly ended?: (end: OperationEnd<Value>) => void;
}

export interface OperationEnd<Value> {
  /** The value of an operation that succeeded. */
  readonly value?: Value;
  /** Whether the caller has got `FolderHangs`, and not the value. */
  readonly isLate: boolean;
}

/** The error of an operation on a file system that does not answer. `syscall` marks errors of the system. */
export class FolderHangs extends Error {
  override readonly name = 'FolderHangs';
  readonly code = 'ETIMEDOUT';
  readonly syscall = 'store';
}

export interface FileOperationsOptions {
  /** Operations at once. */
  readonly places: number;
  /** Time limits, in milliseconds. */
  readonly limits?: Readonly<Record<OperationKind, number>>;
}

const usualLimits = { quick: 10_000, sync: 600_000 } as const;

/**
 * The places for file operations of a store: half of the threads of libuv's pool.
 * @param size UV_THREADPOOL_SIZE; libuv has four threads by default, at least one, and at most 1024 (src/threadpool.c,
 *   init_threads).
 */
export function placesInPool(size: string | undefined): number {
  const threads = size === undefined ? 4 : Math.min(Math.max(Number.parseInt(size, 10) || 1, 1), 1024);
  return Math.max(1, Math.floor(threads / 2));
}

interface Operation {
  readonly kind: OperationKind;
  readonly isPatient: boolean;
  isLate: boolean;
  start(): Promise<void>;
  refuse(error: FolderHangs): void;
}

let inProgress = 0;

/** Whether the process has file operations of a store in progress. */
export function hasFileOperations(): boolean {
  return inProgress > 0;
}

/** The file operations of this process for its store. */
export function createStoreOperations(): FileOperations {
  return createFileOperations({ places: placesInPool(process.env.UV_THREADPOOL_SIZE) });
}

export function createFileOperations(options: FileOperationsOptions): FileOperations {
  const { places, limits = usualLimits } = options;
  let metrics: HungMetrics = noMetrics;
  const syncPlaces = Math.max(1, places - 1);
  const running = new Set<Operation>();
  let waiting: Operation[] = [];

  const countOf = (isCounted: (operation: Operation) => boolean) => [...running].filter(isCounted).length;
  const hasPlace = (kind: OperationKind) =>
    running.size < places && (kind === 'quick' || countOf((each) => each.kind === 'sync') < syncPlaces);

  function isHung(kind: OperationKind): boolean {
    const late = countOf(({ isLate }) => isLate);
    return (
      late >= places ||
      (kind === 'sync' && countOf((each) => each.isLate && each.kind === 'sync') >= syncPlaces)
    );
  }

  function admit(): void {
    for (const operation of [...waiting]) {
      if (running.size >= places) return;
      if (!hasPlace(operation.kind)) continue;
      waiting = waiting.filter((each) => each !== operation);
      void begin(operation);
    }
  }

  function refuseWaiting(): void {
    const refused = waiting.filter(({ kind, isPatient }) => !isPatient && isHung(kind));
    waiting = waiting.filter((each) => !refused.includes(each));
    for (const operation of refused) operation.refuse(hangs(running.size));
  }

  function tellLate(): void {
    metrics.storeHung(countOf(({ isLate }) => isLate));
  }

  async function begin(operation: Operation): Promise<void> {
    const { kind } = operation;
    running.add(operation);
    inProgress += 1;
    const timer = setTimeout(() => {
      operation.isLate = true;
      tellLate();
      operation.refuse(new FolderHangs(`a file operation took more than ${limits[kind] / 1000} s`));
      refuseWaiting();
    }, limits[kind]);
    await operation.start();
    clearTimeout(timer);
    running.delete(operation);
    inProgress -= 1;
    if (operation.isLate) tellLate();
    admit();
  }

  return {
    isHung: () => isHung('quick'),

    countIn(own) {
      metrics = own;
      tellLate();
    },

    run(kind, work, runOptions) {
      const { operation, result } = operationOf(kind, work, runOptions);
      if (hasPlace(kind)) void begin(operation);
      else if (!operation.isPatient && isHung(kind)) operation.refuse(hangs(running.size));
      else waiting.push(operation);
      return result;
    },
  };
}

function operationOf<Value>(
  kind: OperationKind,
  work: () => Promise<Value>,
  { isPatient = false, ended }: RunOptions<Value> = {},
): { readonly operation: Operation; readonly result: Promise<Value> } {
  const { promise: result, resolve, reject } = Promise.withResolvers<Value>();
  let hasBegun = false;
  const operation: Operation = {
    kind,
    isPatient,
    isLate: false,
    async start() {
      hasBegun = true;
      try {
        const value = await work();
        resolve(value);
        ended?.({ value, isLate: operation.isLate });
      } catch (error) {
        reject(error);
        ended?.({ isLate: operation.isLate });
      }
    },
    refuse(error) {
      reject(error);
      if (!hasBegun) ended?.({ isLate: false });
    },
  };
  return { operation, result };
}

function hangs(operations: number): FolderHangs {
  return new FolderHangs(`the folder does not answer: ${operations} file operations hang`);
}
