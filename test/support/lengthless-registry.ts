import { createServer, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

export interface LengthlessRegistry {
  readonly url: string;
  stop(): Promise<void>;
}

const digest = `sha256:${'a'.repeat(64)}`;

/** Of a blob that a `LengthlessRegistry` has. */
export const blobPath = `/v2/team/app/blobs/${digest}`;

/** How many bytes of a blob come before `breakingOff` breaks it off. */
export const bytesBeforeBreak = 5_000;

/** A registry that says no length of its blobs. @param blob answers each request for one. */
export async function startLengthlessRegistry(
  blob: (response: ServerResponse) => void,
): Promise<LengthlessRegistry> {
  const server = createServer(({ url = '' }, response) => {
    if (url.includes('/blobs/')) blob(response);
    else response.end('{}');
  });
  return listen(server);
}

/** A blob that ends without its last chunk. */
export function breakingOff(response: ServerResponse): void {
  response.write(new Uint8Array(bytesBeforeBreak).fill(97));
  setTimeout(() => response.destroy(), 50);
}

/** A blob without end, whose registry hangs up on whoever does not read for 300 ms, as nginx by `send_timeout`. */
export function untilSendTimeout(response: ServerResponse): void {
  response.socket?.setTimeout(300, () => response.socket?.destroy());
  const more = () => {
    while (!response.destroyed && response.write(new Uint8Array(65_536).fill(97)));
  };
  response.on('drain', more);
  more();
}
