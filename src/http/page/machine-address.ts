/** The address of the proxy for lines that another machine runs. */
export interface MachineAddress {
  /** Like `http://proxy.example.com:8080`. */
  readonly address: string;
  /** The text of the viewer, or the host of the page, if the address is not made from it. */
  readonly unusable?: string;
}

/** Names and addresses of a machine for itself (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3; RFC 4291, 2.5). */
const ownMachine = /^(?:(?:.+\.)?localhost\.?|127\.[\d.]+|0\.0\.0\.0|\[::1?\])$/;

/** Hosts without characters of a shell: a header may have others. */
const safeHost = /^[\w.:[\]-]+$/;

/**
 * The address of the proxy as another machine reaches it: the typed one, or that of the page unless it is a name of the
 * viewer's own machine.
 * @param page the address of the page, like `http://127.0.0.1:8080`.
 * @param typed a host with or without port and scheme, as the viewer wrote it; "" for none. The scheme, and the port
 *   where no scheme is written, are those of the page by default.
 */
export function machineAddress(page: string, typed: string): MachineAddress {
  const { protocol, hostname, host, port } = new URL(page);
  if (typed !== '') {
    const found = typedAddress(typed, protocol, port);
    return found ? { address: found } : { address: placeholder(protocol, port), unusable: typed };
  }
  const isSafe = safeHost.test(host);
  if (isSafe && !ownMachine.test(hostname)) return { address: `${protocol}//${host}` };
  return { address: placeholder(protocol, port), unusable: isSafe ? host : 'this address' };
}

function typedAddress(typed: string, protocol: string, port: string): string | undefined {
  const hasScheme = /^https?:\/\//i.test(typed);
  const text = hasScheme ? typed : `${protocol}//${typed}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!safeHost.test(url.host) || url.pathname !== '/' || url.search || url.hash || url.username)
    return undefined;
  if (!hasScheme && !/:\d+\/?$/.test(typed)) url.port = port;
  return url.origin;
}

/** The name of the guides, with the port of the page. */
function placeholder(protocol: string, port: string): string {
  return `${protocol}//proxy.example.com${port === '' ? '' : `:${port}`}`;
}

/**
 * The host as engines want it in the name of an image: a first part without a dot, a colon or `localhost` is a user of
 * Docker Hub (distribution/reference, normalize.go, `splitDockerDomain`).
 */
export function hostForPull({ protocol, host }: URL): string {
  return /[.:]/.test(host) || host === 'localhost' ? host : `${host}:${protocol === 'https:' ? 443 : 80}`;
}
