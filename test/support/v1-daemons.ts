import type { HeaderLine } from './old-clients.ts';

/** The differences between daemons that pull by API v1, as seen with the daemons; 1.3.2 and 1.9.1 also in their source. */
export interface V1Daemon {
  readonly userAgent: string;
  /** The paths that the daemon requests before API v1, with the Go program's own User-Agent. */
  readonly pings: readonly string[];
  /** Whether it requests the tag by API v2, and goes on only when that is refused. */
  readonly asksV2: boolean;
  /** Whether it requests only the wanted tag (from 1.8 on). */
  readonly oneTag: boolean;
  /** Whether it sends `Token ` even without a token (up to 1.6). */
  readonly bareToken: boolean;
  /** Its message when `…/images` fails with another status than 401 and 404. */
  readonly imagesError: (status: number, name: string, body: string) => string;
}

const statusOnly: V1Daemon['imagesError'] = (status) => `HTTP code: ${status}`;
const withBody: V1Daemon['imagesError'] = (status, name, body) =>
  `Error: Status ${status} trying to pull repository ${name}: ${JSON.stringify(body)}`;

const userAgent = (version: string, go: string, commit: string) =>
  `docker/${version} go/${go} git-commit/${commit} kernel/4.9.0 os/linux arch/amd64`;

export const v1Daemons = {
  'Docker 1.3.3': {
    userAgent: userAgent('1.3.3', 'go1.3.3', 'd344625'),
    pings: ['/v1/_ping'],
    asksV2: false,
    oneTag: false,
    bareToken: true,
    imagesError: statusOnly,
  },
  'Docker 1.5.0': {
    userAgent: userAgent('1.5.0', 'go1.4.1', 'a8a31ef'),
    pings: ['/v2/'],
    asksV2: true,
    oneTag: false,
    bareToken: true,
    imagesError: statusOnly,
  },
  // This version prefers API v2; the row describes what it does after API v2 is refused.
  'Docker 1.7.1': {
    userAgent: userAgent('1.7.1', 'go1.4.2', '786b29d'),
    pings: ['/v2/', '/v2/'],
    asksV2: false,
    oneTag: false,
    bareToken: false,
    imagesError: withBody,
  },
  'Docker 1.9.1': {
    userAgent: userAgent('1.9.1', 'go1.4.2', 'a34a1d5'),
    pings: ['/v2/'],
    asksV2: false,
    oneTag: true,
    bareToken: false,
    imagesError: withBody,
  },
} satisfies Record<string, V1Daemon>;

export type V1DaemonName = keyof typeof v1Daemons;
export const v1DaemonNames = Object.keys(v1Daemons) as V1DaemonName[];

/** The headers that Go's transport adds to every GET. */
export const goHeaders: readonly HeaderLine[] = [
  ['Accept-Encoding', 'gzip'],
  ['Connection', 'close'],
];
