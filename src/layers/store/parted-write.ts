import { type BlobName, BlobTooLarge, type BlobWrite, refuseOtherBlob } from './blob-store.ts';

/** A server of objects: small blobs in one request, others in parts. */
export interface PartedTarget {
  /** Stores a blob that fits into one part. */
  put(blob: BlobName, bytes: Uint8Array): Promise<void>;
  /** Begins an upload in parts, which shows nothing before it is complete. */
  begin(): Promise<PartedUpload>;
}

export interface PartedUpload {
  /** @param number from 1 on. Numbers come in order, and several parts may be on their way at once. */
  part(number: number, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Makes the blob visible. All parts have arrived. */
  complete(blob: BlobName): Promise<void>;
  /** Removes the parts. No part is on its way. */
  abort(): Promise<void>;
}

export interface PartedWriteOptions {
  readonly target: PartedTarget;
  /** undefined if the digest is not known yet. */
  readonly expected: BlobName | undefined;
  /** Bytes of a part by its number. All parts but the last have exactly this size. */
  readonly partBytes: (number: number) => number;
  /** Parts in memory. With one, `add` waits until each part has arrived. */
  readonly partsInMemory: number;
  readonly mostBytes: number;
}

/** A write that gathers bytes into parts. Nothing is sent before there is more than one part. */
export function createPartedWrite(options: PartedWriteOptions): BlobWrite {
  const { target, expected, partBytes, partsInMemory, mostBytes } = options;
  const ended = new AbortController();
  const sending = new Set<Promise<void>>();
  let upload: Promise<PartedUpload> | undefined;
  let failure: { readonly error: unknown } | undefined;
  let parts = 0;
  let size = 0;
  let gathered = new Uint8Array();
  let filled = 0;

  function newPart(): Uint8Array<ArrayBuffer> {
    const left = expected ? expected.size - size : Number.POSITIVE_INFINITY;
    return new Uint8Array(Math.min(partBytes(parts + 1), left));
  }

  async function send(bytes: Uint8Array): Promise<void> {
    upload ??= target.begin();
    const begun = await upload;
    ended.signal.throwIfAborted();
    parts += 1;
    const sent: Promise<void> = begun
      .part(parts, bytes, ended.signal)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => sending.delete(sent));
    sending.add(sent);
    while (sending.size >= partsInMemory) await Promise.race(sending);
    if (failure) throw failure.error;
  }

  return {
    async add(bytes) {
      const most = expected?.size ?? mostBytes;
      if (size + bytes.length > most) throw new BlobTooLarge(`it has more than ${most} bytes`);
      for (let at = 0; at < bytes.length; ) {
        if (filled === gathered.length) {
          if (filled > 0) await send(gathered);
          [gathered, filled] = [newPart(), 0];
        }
        const piece = bytes.subarray(at, at + gathered.length - filled);
        gathered.set(piece, filled);
        filled += piece.length;
        size += piece.length;
        at += piece.length;
      }
    },

    async commit(blob) {
      refuseOtherBlob(blob, size, expected);
      const last = gathered.subarray(0, filled);
      if (upload === undefined) return target.put(blob, last);
      await send(last);
      await Promise.all(sending);
      if (failure) throw failure.error;
      await (await upload).complete(blob);
      upload = undefined;
    },

    async abort() {
      ended.abort(new Error('the write was given up'));
      gathered = new Uint8Array();
      filled = 0;
      await Promise.all(sending);
      const begun = await upload?.catch(() => undefined);
      await begun?.abort().catch(() => undefined);
    },
  };
}
