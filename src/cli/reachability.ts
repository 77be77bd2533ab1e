import { networkInterfaces } from 'node:os';
import type { Settings } from '../config/settings.ts';
import { isLoopback, onlyThisMachine } from '../http/loopback.ts';

/**
 * Tells how other machines reach the proxy, for a person at a terminal.
 * @param urls the addresses that it listens on, like `http://127.0.0.1:8080`.
 * @param own the first address of this machine in its network, like `192.0.2.7`.
 */
export function reachability(
  urls: readonly string[],
  { routes, REGSHIFT_PUBLIC_URL: publicUrl, REGSHIFT_TLS_CERT: certificate }: Settings,
  own = ownAddress(),
): string {
  const [url = 'http://127.0.0.1'] = urls;
  const { hostname, port } = new URL(url);
  const isSample = routes.some(({ settings }) => settings.REGSHIFT_UPSTREAM === undefined);
  const host = publicUrl?.host ?? `${hostOf(hostname, own)}:${port}`;
  const pull = `  docker pull ${host}/${isSample ? 'sample/generic' : '<image>'}\n`;
  const isPlain = certificate === undefined && publicUrl?.protocol !== 'https:';
  const http = isPlain
    ? `      its /etc/docker/daemon.json needs { "insecure-registries": ["${host}"] }, because this is plain HTTP\n`
    : '';
  return isLoopback(hostname) && publicUrl === undefined
    ? `${onlyThisMachine}, and type there:\n${pull}${http}`
    : `On another machine:\n${pull}${http}`;
}

/** A server that listens on all addresses is reached by one of them. */
function hostOf(hostname: string, own: string): string {
  return /^(?:127\.|\[::1?\]$|0\.0\.0\.0$)/.test(hostname) ? own : hostname;
}

/** The first IPv4 address that is no loopback, or words for it on a machine without one. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const outer = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  return outer?.address ?? '<address of this machine>';
}
