import type { Digest } from '../../converters/digest.ts';
import { Failure } from '../errors.ts';
import type { UnpackLimits } from './bomb.ts';
import { broken } from './broken.ts';
import type { LayerCodec } from './codec.ts';
import type { LayerFacts } from './facts.ts';
import { measure } from './measure.ts';
import type { Turns } from './turns.ts';

/** A layer as upstream sends it. */
export interface PackedLayer {
  readonly stream: ReadableStream<Uint8Array>;
  /** Content-Length, where there is one. */
  readonly size?: number;
  /** With more bytes than this it cannot be the layer that was meant. */
  readonly most?: number;
}

/** Opens a layer, with the credential of whoever wants to know it. The signal aborts it until its last byte. */
export type OpenLayer = (signal: AbortSignal) => Promise<PackedLayer>;

export interface LayerProgress {
  /** Packed bytes read. */
  readonly read: number;
  /** Packed bytes in all, when upstream has said so. */
  readonly total: number | undefined;
  /** Milliseconds since the epoch; `undefined` while the reading waits for its turn. */
  readonly startedAt: number | undefined;
}

export interface Reading {
  readonly facts: Promise<LayerFacts>;
  progress(): LayerProgress;
  /** Whether it has stood still for so long that nothing will come of it (`Turns` says how that can be). */
  isDead(): boolean;
}

export interface ReadingOptions {
  readonly codec: LayerCodec;
  readonly limits: UnpackLimits;
  readonly turns: Turns;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** How long a reading may stand still. */
  readonly silenceMs: number;
}

/** Bytes a second, below which a layer will never be whole, and holds the turn of another: no line is as slow. */
const leastPace = 16;

/** Reads a layer when its turn has come, whether or not anyone still waits for it. */
export function startReading(digest: Digest, open: OpenLayer, options: ReadingOptions): Reading {
  const { codec, limits, turns, clock, silenceMs } = options;
  let read = 0;
  let total: number | undefined;
  let startedAt: number | undefined;
  let heardAt: number | undefined;
  const silence = new AbortController();
  const isSilent = () => heardAt !== undefined && clock() - heardAt > silenceMs;

  async function run(): Promise<LayerFacts> {
    const turn = await turns.take();
    startedAt = heardAt = clock();
    let before = { at: startedAt, read };
    const look = () => {
      if (isSilent()) return silence.abort(stoodStill(digest, read, silenceMs));
      const seconds = (clock() - before.at) / 1000;
      if (seconds * 1000 < silenceMs) return;
      const came = read - before.read;
      if (came < leastPace * seconds) silence.abort(crept(digest, came, seconds));
      before = { at: clock(), read };
    };
    const watch = setInterval(look, Math.ceil(silenceMs / 4));
    try {
      const { stream, size, most = Number.POSITIVE_INFINITY } = await open(silence.signal);
      total = size;
      const onRead = (bytes: number) => {
        if (bytes > most) silence.abort(tooLong(digest, most));
        read = bytes;
        heardAt = clock();
        turn.touch();
      };
      return await measure(stream, { codec, limits, digest, onRead, signal: silence.signal });
    } finally {
      clearInterval(watch);
      turn.release();
    }
  }

  return { facts: run(), progress: () => ({ read, total, startedAt }), isDead: isSilent };
}

function tooLong(digest: Digest, most: number): Failure {
  const found = `came with more than ${most} bytes, far more than its manifest says. Try again.`;
  return broken('mismatch', `layer ${digest}`, found);
}

function crept(digest: Digest, came: number, seconds: number): Failure {
  return new Failure(
    'UPSTREAM_TIMEOUT',
    `Of layer ${digest} no more than ${came} bytes came in ${Math.round(seconds)} s: nobody waits for the rest. Try ` +
      'again.',
  );
}

function stoodStill(digest: Digest, read: number, silenceMs: number): Failure {
  return new Failure(
    'UPSTREAM_TIMEOUT',
    `Reading layer ${digest} stood still for ${Math.round(silenceMs / 1000)} s after ${read} bytes. Try again.`,
  );
}
