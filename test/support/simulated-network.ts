import dns, { type LookupAddress } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { isIP, type LookupFunction, Socket } from 'node:net';

export interface SimulatedNetwork {
  /** The addresses of a name, one list for each lookup; the last list stays. Other names go to the system. */
  resolve(name: string, ...lists: readonly (readonly string[])[]): void;
  /** The names of all scripted lookups, in order. */
  readonly lookups: readonly string[];
  restore(): void;
}

interface ConnectOptions {
  host?: string;
  lookup?: LookupFunction;
}

/**
 * Makes every address reachable from a test without leaving the machine: a connection to any address but 127.0.0.1 goes
 * to 127.0.0.1 with the same port, and its socket reports the address that was meant. The change lies below the
 * program: resolver, `lookup` and checks see the addresses that the script gives.
 */
export function simulateNetwork(): SimulatedNetwork {
  const scripts = new Map<string, (readonly string[])[]>();
  const lookups: string[] = [];
  const original = { lookup: dns.lookup, connect: Socket.prototype.connect };

  const scripted: LookupFunction = (name, options, callback) => {
    const lists = scripts.get(name);
    if (lists === undefined) return original.lookup(name, options, callback as never);
    lookups.push(name);
    const [list = []] = lists.length > 1 ? lists.splice(0, 1) : lists;
    const found = list.map((address): LookupAddress => ({ address, family: isIP(address) }));
    const [first] = found;
    setImmediate(() =>
      options.all ? callback(null, found) : callback(null, first?.address ?? '', first?.family),
    );
  };

  Object.assign(dns, { lookup: scripted });
  Socket.prototype.connect = function connect(this: Socket, ...args: [never]) {
    redirectToLoopback(this, args, scripted);
    return original.connect.apply(this, args);
  } as typeof Socket.prototype.connect;
  syncBuiltinESMExports();

  return {
    lookups,
    resolve: (name, ...lists) => void scripts.set(name, [...lists]),
    restore() {
      Object.assign(dns, { lookup: original.lookup });
      Socket.prototype.connect = original.connect;
      syncBuiltinESMExports();
    },
  };
}

/** Node normalizes the arguments of `connect` to an array with the options first; TLS passes the options. */
function redirectToLoopback(socket: Socket, [first]: readonly unknown[], resolver: LookupFunction): void {
  const options = (Array.isArray(first) ? first[0] : first) as ConnectOptions | undefined;
  if (typeof options !== 'object' || typeof options.host !== 'string') return;
  if (isIP(options.host)) {
    meant(socket, options.host);
    options.host = '127.0.0.1';
    return;
  }
  const lookup = options.lookup ?? resolver;
  options.lookup = (name, how, callback) =>
    lookup(name, how, (error, found, family) => {
      const addresses = typeof found === 'string' ? [{ address: found, family }] : (found ?? []);
      if (error === null && addresses[0]) meant(socket, addresses[0].address);
      const mapped = addresses.map(() => ({ address: '127.0.0.1', family: 4 }));
      if (error || typeof found !== 'string') callback(error, mapped);
      else callback(null, '127.0.0.1', 4);
    });
}

/** Shows the simulated address in place of the real one. */
function meant(socket: Socket, address: string): void {
  Object.defineProperty(socket, 'remoteAddress', { value: address, configurable: true });
}
