import { marker } from './markers.ts';

/** A user with a login at one upstream. Each upstream knows the same names, with other passwords. */
export interface User {
  readonly index: number;
  readonly upstream: number;
  readonly name: string;
  readonly password: string;
  /** The value of `Authorization` for a login by name and password. */
  readonly basic: string;
}

export function createUser(upstream: number, index: number): User {
  const name = `user-${marker('user', index)}`;
  const password = `pass-${marker('password', upstream * 1000 + index)}`;
  return { index, upstream, name, password, basic: basicOf(name, password) };
}

export function basicOf(name: string, password: string): string {
  return `Basic ${btoa(`${name}:${password}`)}`;
}
