import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface StubbornPull {
  readonly bytes: Uint8Array;
  readonly attempts: number;
}

const mostAttempts = 60;
const pauseMs = 200;

/**
 * Downloads a blob as Docker 1.12.6 to 20.10 do when the download breaks off: the
 * client keeps the bytes and requests the rest by `Range: bytes=N-`. Docker waits 5, 10, 15… seconds and tries five
 * times; here the waits are shorter, and there are more of them.
 * @throws Error when the download never ends.
 */
export async function pullStubbornly(port: number, path: string): Promise<StubbornPull> {
  let bytes: Uint8Array = new Uint8Array();
  for (let attempts = 1; attempts <= mostAttempts; attempts += 1) {
    const got = await attempt(port, path, bytes.length);
    // A status of 200 means that the server ignores Range and sends the whole blob.
    bytes = got.status === 200 ? got.bytes : Buffer.concat([bytes, got.bytes]);
    if (got.whole) return { bytes, attempts };
    await sleep(pauseMs);
  }
  throw new Error(`${path} did not come in ${mostAttempts} attempts`);
}

interface Attempt {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly whole: boolean;
}

function attempt(port: number, path: string, from: number): Promise<Attempt> {
  const headers = { Connection: 'close', ...(from > 0 ? { Range: `bytes=${from}-` } : {}) };
  const nothing = { status: 0, bytes: new Uint8Array(), whole: false };
  return new Promise((resolve) => {
    const asked = request({ port, host: '127.0.0.1', path, headers }, (answer) => {
      const { statusCode: status = 0 } = answer;
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => undefined);
      answer.once('close', () => {
        const isContent = status === 200 || status === 206;
        resolve(isContent ? { status, bytes: Buffer.concat(chunks), whole: answer.complete } : nothing);
      });
    });
    asked.on('error', () => resolve(nothing));
    asked.end();
  });
}
