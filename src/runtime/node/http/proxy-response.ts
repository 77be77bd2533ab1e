import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { abortConnection } from './transport.ts';

/**
 * An answer that no client takes for whole after it broke off. The end of the connection is the end of a body that has
 * neither a length nor chunks, as HTTP/1.0 has it (RFC 9112, section 6.3): such an answer breaks off by a TCP reset.
 * The end of the connection is enough for all others, and the client keeps the bytes that are on their way.
 */
export class ProxyResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  #onHalfClose: (() => void) | undefined;

  override assignSocket(socket: Socket): void {
    // Node 24 gives its turn to a pipelined answer that has broken off as well; its client would wait.
    if (this.destroyed) this.#breakOff(socket);
    else super.assignSocket(socket);
    if (this.req.httpVersionMinor === 0) this.#breakOffOnHalfClose(socket);
  }

  override detachSocket(socket: Socket): void {
    if (this.#onHalfClose) socket.off('end', this.#onHalfClose);
    super.detachSocket(socket);
  }

  override destroy(error?: Error): this {
    if (this.destroyed || !this.socket || !this.#endsWithConnection()) return super.destroy(error);
    this.destroyed = true;
    abortConnection(this.socket);
    return this;
  }

  /** Node ends a connection that its client has half closed: it sends what is written, and FIN. */
  #breakOffOnHalfClose(socket: Socket): void {
    this.#onHalfClose = () => {
      if (this.#endsWithConnection() && !this.writableEnded) this.destroy();
    };
    // Before Node's own listener, which shuts the connection down.
    socket.prependListener('end', this.#onHalfClose);
  }

  #breakOff(socket: Socket): void {
    if (this.#endsWithConnection()) abortConnection(socket);
    else socket.destroy();
  }

  /** Whether the client would take the end of the connection for the end of the body. */
  #endsWithConnection(): boolean {
    if (!this.headersSent || this.writableFinished) return false;
    return !this.chunkedEncoding && !this.hasHeader('content-length');
  }
}
