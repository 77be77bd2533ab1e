import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { SentResponse } from '../../../http/env.ts';

/**
 * Tells when an answer has gone out or was cut.
 * @returns for `Connection.whenSent`; an answer whose client left before there was one has ended already.
 */
export function createResponseFinished(
  socket: Pick<Socket, 'bytesWritten'>,
  outgoing: ServerResponse,
): (ended: (sent: SentResponse) => void) => void {
  const before = socket.bytesWritten;
  return (ended) => {
    const tell = () => ended({ bytes: socket.bytesWritten - before, aborted: !outgoing.writableFinished });
    if (outgoing.closed) tell();
    else outgoing.once('close', tell);
  };
}
