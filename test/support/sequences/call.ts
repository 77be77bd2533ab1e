import type { Digest } from '../../../converters/digest.ts';
import type { RawResponse } from '../raw-http.ts';
import type { TestClient } from './clients.ts';

/** One request of a step, as one side gets it. */
export interface Call {
  readonly kind: 'manifest' | 'blob' | 'upload' | 'list' | 'catalog' | 'other';
  readonly method: string;
  /** With the name that the repository has on that side. */
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array;
  readonly repository?: string;
  /** A tag or a digest. */
  readonly reference?: string;
  readonly client?: TestClient;
}

/** A step on one side: it yields requests, and gets the responses of that side. */
export type Calls = Generator<Call, void, RawResponse>;

/** The names that a side has for the same repository. */
export interface Side {
  /** The path below `/v2/`, like `mirror/` of a route by a path; empty at the registry. */
  readonly prefix: string;
  /** The names of repositories, without the prefix. */
  readonly repositories: readonly string[];
  /** The manifests that were pushed so far, the last one first. */
  readonly pushed: PushedTo[];
}

export interface PushedTo {
  readonly repository: number;
  readonly document: number;
}

/** The responses of both sides to the same request. */
export interface Exchange {
  readonly call: Call;
  readonly straight: RawResponse;
  readonly through: RawResponse;
  /** The request at the registry, which differs in digests that a side has named. */
  readonly straightCall: Call;
  readonly replica: number;
}

export function nameOf({ repositories, prefix }: Side, index: number): string {
  return `${prefix}${repositories[index % repositories.length]}`;
}

/** The path of a `Location`, which may be a URL. */
export function pathIn(location: string): string {
  return location.replace(/^https?:\/\/[^/]+/, '');
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}

export function isDigestText(text: string | undefined): text is Digest {
  return text !== undefined && /^sha256:[0-9a-f]{64}$/.test(text);
}
