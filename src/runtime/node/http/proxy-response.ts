import { type IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { abortConnection } from './transport.ts';

/**
 * A response that no client mistakes for whole after it broke off. A body that has neither a length nor chunks ends
 * with the connection, as in HTTP/1.0 (RFC 9112, section 6.3); such a response breaks off with a TCP reset. For all
 * others the end of the connection is enough, and the client keeps the bytes that are in transit.
 */
export class ProxyResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  #onHalfClose: (() => void) | undefined;

  override assignSocket(socket: Socket): void {
    // Node 24 gives a pipelined response its turn even after it broke off; its client would wait.
    if (this.destroyed) this.#breakOff(socket);
    else super.assignSocket(socket);
    if (this.req.httpVersionMinor === 0) this.#breakOffOnHalfClose(socket);
  }

  override detachSocket(socket: Socket): void {
    if (this.#onHalfClose) socket.off('end', this.#onHalfClose);
    super.detachSocket(socket);
  }

  override destroy(error?: Error): this {
    if (this.destroyed || (this.socket && !this.#endsWithConnection())) return super.destroy(error);
    if (!this.socket) return this.#closeWithoutConnection(error);
    this.destroyed = true;
    abortConnection(this.socket);
    return this;
  }

  /**
   * A pipelined response has no connection before its turn. Node 24 then emits `close` by itself (`emitDestroyNT` of
   * lib/_http_outgoing.js); Node 22 emits it only when a connection of the response closes.
   */
  #closeWithoutConnection(error: Error | undefined): this {
    super.destroy(error);
    super.assignSocket(new Socket().destroy());
    return this;
  }

  /** After the client has half closed a connection, Node sends the written bytes and FIN. */
  #breakOffOnHalfClose(socket: Socket): void {
    this.#onHalfClose = () => {
      if (this.#endsWithConnection() && !this.writableEnded) this.destroy();
    };
    // This listener runs before Node's own, which shuts the connection down.
    socket.prependListener('end', this.#onHalfClose);
  }

  #breakOff(socket: Socket): void {
    if (this.#endsWithConnection()) abortConnection(socket);
    else socket.destroy();
  }

  /** True if the client takes the end of the connection for the end of the body. */
  #endsWithConnection(): boolean {
    if (!this.headersSent || this.writableFinished) return false;
    return !this.chunkedEncoding && !this.hasHeader('content-length');
  }
}
