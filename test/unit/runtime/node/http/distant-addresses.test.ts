import { spawn } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';

/** A server whose system drops new connections for 700 ms, so that the next one is made by a packet a second later. */
const busyServer = `
  const server = require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 204 No Content\\r\\nConnection: close\\r\\n\\r\\n'));
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
  });`;

async function startBusyServer(): Promise<number> {
  const child = spawn(process.execPath, ['-e', busyServer], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [port] = await once(child.stdout, 'data');
  for (let index = 0; index < 4; index += 1) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
  }
  return Number(port);
}

/** A name with two addresses, where the second one has no server. */
function resolveToBoth(): void {
  const both = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
  const lookup = (_name: string, _options: unknown, callback: (error: null, found: unknown) => void) =>
    setImmediate(callback, null, both);
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(lookup as never);
  onTestFinished(() => spy.mockRestore());
}

it.each([
  ['http', 204],
  // The server speaks no TLS, which the client can only learn on a connection.
  ['https', expect.stringMatching(/^(ERR_SSL|EPROTO|ECONNRESET)/)],
])(
  '%s: a connection of a second is waited for, although the name has another address',
  async (scheme, expected) => {
    const port = await startBusyServer();
    resolveToBoth();
    const outcome = await createHttpFetch()(`${scheme}://registry.test:${port}/`, {}).then(
      ({ status }) => status,
      ({ code }: { code: string }) => code,
    );
    expect(outcome).toEqual(expected);
  },
);
