import * as z from 'zod/mini';
import { isIpAddress } from '../routing/ip-range.ts';
import { port } from './numbers.ts';
import type { RawSettings, SettingProblem } from './problem.ts';

const label = /^[a-z0-9_-]{1,63}$/i;

/** A last part that makes a host name an IPv4 address for every program (URL standard, "ends in a number checker"). */
const numericLabel = /^(?:\d+|0x[\da-f]*)$/i;

/** Whether a server can listen on a text: an IP address, which may have a zone like `%eth0`, or a host name. */
function isHost(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  if (text.includes(':')) return isIpAddress(text.replace(/%[\w.-]+$/, ''));
  if (numericLabel.test(labels.at(-1) ?? '')) return isIpAddress(text);
  return labels.every((each) => label.test(each));
}

const hostForm = 'must be an IP address or a host name, without scheme and port: 0.0.0.0 for all addresses';
const host = z.string().check(z.refine(isHost, hostForm));

/** The address of the server. The system finds the address of a host name at the start. */
export const addressFields = {
  HOST: z._default(host, '127.0.0.1'),
  PORT: z._default(port, 8080),
};

/**
 * The ports for clients: PORT first, unless no route uses it, and then every port that a route names.
 * @param routes the ports that each route names; one without any serves PORT.
 */
export function clientPorts(main: number, routes: readonly (readonly number[])[]): readonly number[] {
  const isUsed = routes.some((ports) => ports.length === 0);
  return [...new Set([...(isUsed ? [main] : []), ...routes.flat()])];
}

/** Refuses one port for two servers. @param routes as of `clientPorts`; undefined without routes. */
export function portProblems(
  raw: RawSettings,
  routes: readonly (readonly number[])[] = [[]],
): SettingProblem[] {
  const { data: metrics = 0 } = port.safeParse(raw.REGSHIFT_METRICS_PORT);
  const { data: main = 0 } = addressFields.PORT.safeParse(raw.PORT);
  // The system selects a free port for 0.
  if (metrics === 0 || !clientPorts(main, routes).includes(metrics)) return [];
  const other = routes.flat().includes(metrics) ? 'match.port of a route' : 'PORT';
  const message = `must be another port than ${other}: metrics and clients cannot share one. Set it to a free port, like ${metrics + 1}`;
  return [{ variable: 'REGSHIFT_METRICS_PORT', value: '', message }];
}
