import { type Host, holding, type Network, network } from '../network.ts';

/** One cloud as the tests of its logins see it. All of its secrets contain `hidden`. */
export interface Cloud {
  /** The origin of the registry. */
  readonly registry: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly network: Network;
  /** The origin of the server that gives logins. */
  readonly loginServer: string;
  /** The number of logins that the cloud gave. */
  readonly given: () => number;
  /** Makes the cloud refuse each request for a login, or give logins again. */
  readonly refuse: (how: Refusal | undefined) => void;
  /** Makes the registry accept only logins that are given from now on. */
  readonly revoke: () => void;
  /** Lets the time of the cloud pass, with that of the program. */
  readonly advance: (seconds: number) => void;
  /** Makes the registry name another token server, or redirect blobs. */
  readonly registryDoes: (host: Host | undefined) => void;
  /** Sets the cloud's own clock ahead. */
  readonly setAhead: (seconds: number) => void;
  /** Seconds for which a login lasts. */
  readonly life: number;
}

export interface Refusal {
  readonly status: number;
  readonly body: unknown;
}

/** State and time that all clouds share. */
export interface CloudState {
  /** Seconds since the epoch. */
  now: number;
  ahead: number;
  given: number;
  refusal: Refusal | undefined;
  /** Logins with lower numbers are refused by the registry. */
  lowest: number;
  override: Host | undefined;
}

/** The clock of test/support/app.ts begins here. */
const start = Date.UTC(2026, 0, 1) / 1000;

export const images = () => holding({ 'team/app': 'sample/oci' });

export interface CloudPlan {
  readonly registry: string;
  readonly loginServer: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly life: number;
  /** Answers a request for a login that is right, with the number of the login; throws for a wrong one. */
  readonly giveLogin: (request: Request, url: URL, state: CloudState) => Promise<Response>;
  /** Answers a request to the registry. */
  readonly serve: (request: Request, url: URL, state: CloudState) => Response | Promise<Response>;
}

export function cloudOf(plan: CloudPlan): Cloud {
  const state: CloudState = {
    now: start,
    ahead: 0,
    given: 0,
    refusal: undefined,
    lowest: 1,
    override: undefined,
  };
  const dated = (response: Response) => {
    const headers = new Headers(response.headers);
    headers.set('date', new Date((state.now + state.ahead) * 1000).toUTCString());
    return new Response(response.body, { status: response.status, headers });
  };
  const { registry, loginServer, settings, life } = plan;
  const both = network({
    [loginServer]: async (request, url) => {
      const { refusal } = state;
      if (refusal) return dated(Response.json(refusal.body, { status: refusal.status }));
      const response = await plan.giveLogin(request, url, state);
      return dated(response);
    },
    [registry]: async (request, url) => {
      const answer = state.override?.(request, url) ?? plan.serve(request, url, state);
      return url.pathname === '/oauth2/exchange' ? dated(await answer) : answer;
    },
  });
  return {
    registry,
    settings: { REGSHIFT_UPSTREAM: registry, ...settings },
    network: both,
    loginServer,
    life,
    given: () => state.given,
    refuse: (how) => {
      state.refusal = how;
    },
    revoke: () => {
      state.lowest = state.given + 1;
    },
    advance: (seconds) => {
      state.now += seconds;
    },
    registryDoes: (host) => {
      state.override = host;
    },
    setAhead: (seconds) => {
      state.ahead = seconds;
    },
  };
}

/** The registry's answer to a request without a right login. */
export function challenge(value: string): Response {
  return Response.json(
    { errors: [{ code: 'UNAUTHORIZED', message: 'log in' }] },
    { status: 401, headers: { 'WWW-Authenticate': value } },
  );
}

/** The number of a login like `hidden-3`; 0 for another text. */
export function numberOf(secret: string | undefined): number {
  return Number(/hidden-(\d+)$/.exec(secret ?? '')?.[1] ?? 0);
}

/** The user name and password of a Basic value. */
export function basicOf(request: Request): readonly string[] {
  const [, encoded = ''] = /^Basic (.+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  return atob(encoded).split(/:(.*)/s);
}
