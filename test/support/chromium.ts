import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { programEnvironment } from './programs.ts';

/** A real browser with a new user. */
export interface Browser {
  readonly context: BrowserContext;
  stop(): Promise<void>;
}

export interface BrowserOptions {
  readonly dark?: boolean;
  /** Width and height in CSS pixels. */
  readonly size?: readonly [width: number, height: number];
  readonly javaScript?: boolean;
  /** The user's answer in the browser's dialog for a login. */
  readonly login?: { readonly username: string; readonly password: string };
  readonly scale?: number;
  /** A name that leads to this machine, as a name on the network does. */
  readonly host?: string;
}

/** Starts Debian's Chromium. It finds no settings of the user who runs the tests, and no network beyond loopback. */
export async function startChromium(options: BrowserOptions = {}): Promise<Browser> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-chromium-'));
  const [width, height] = options.size ?? [1280, 900];
  // The tests run as root in containers, where Chromium's sandbox cannot start.
  const context = await chromium.launchPersistentContext(home, {
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
      ...(options.host ? [`--host-resolver-rules=MAP ${options.host} 127.0.0.1`] : []),
    ],
    env: programEnvironment(home),
    viewport: { width, height },
    colorScheme: options.dark ? 'dark' : 'light',
    javaScriptEnabled: options.javaScript ?? true,
    deviceScaleFactor: options.scale ?? 1,
    ...(options.login ? { httpCredentials: options.login } : {}),
  });
  return {
    context,
    async stop() {
      await context.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
