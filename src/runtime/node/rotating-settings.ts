import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Clock, systemClock } from '../../clock.ts';
import type { RotatingSettings } from '../../compose/platform.ts';
import { formatProblems } from '../../config/problem.ts';
import { type ReadSettings, readSettings, type Settings } from '../../config/settings.ts';
import type { Log } from '../../observability/log.ts';
import { readFile, yamlParserFor } from './files.ts';

/** The settings of the process, with the files that hold secrets. */
export interface SettingsFiles {
  /** Reads the settings again. The file with all settings stays as it was at the first time. */
  read(): ReadSettings;
  /** The paths of the files that were read, without that of `REGSHIFT_CONFIG`. */
  paths(): readonly string[];
}

/**
 * Settings that can be read again.
 *
 * The text of `REGSHIFT_CONFIG` is read once: with a new upstream in it, a new password would otherwise go to the old
 * one.
 */
export async function createSettingsFiles(
  variables: Readonly<Record<string, unknown>>,
): Promise<SettingsFiles> {
  const parse = await yamlParserFor(variables);
  let paths: string[] = [];
  let document: string | undefined;
  let isAgain = false;
  return {
    paths: () => paths,
    read() {
      const found: string[] = [];
      const read = readSettings(
        variables,
        (path, beside) => {
          if (beside === undefined && path === variables.REGSHIFT_CONFIG) {
            document ??= readFile(path);
            return document;
          }
          found.push(beside === undefined ? path : resolve(dirname(beside), path));
          return readFile(path, beside, isAgain);
        },
        parse,
      );
      paths = [...new Set([...paths, ...found])];
      isAgain = true;
      return read;
    },
  };
}

export interface RotatingSettingsOptions {
  readonly files: SettingsFiles;
  /** The settings at the start. */
  readonly settings: Settings;
  readonly log: Log;
  readonly clock?: Clock;
}

/** The shortest time between two looks at the files, unless upstream refuses a login. */
const lookMs = 2_000;

export interface WatchedSettings extends RotatingSettings {
  /** Looks at the files now. */
  look(): Promise<void>;
}

/**
 * The newest settings whose files may be replaced. Files are looked at when a login is needed, and not watched:
 * Kubernetes changes a link two folders above them. A file that is missing, empty or half-written changes nothing, and
 * the log says so once.
 */
export function createRotatingSettings(options: RotatingSettingsOptions): WatchedSettings {
  const { files, log, clock = systemClock } = options;
  let { settings } = options;
  let lookedAt = clock();
  let seen: string | undefined;
  let told = '';
  let looking: Promise<void> | undefined;

  async function lookOnce(): Promise<void> {
    lookedAt = clock();
    const now = await signatureOf(files.paths());
    if (now === seen) return;
    const read = files.read();
    if ('problems' in read) {
      const reason = formatProblems(read.problems);
      if (reason !== told)
        log('warn', 'a file of the settings cannot be used: going on with what it held before', { reason });
      told = reason;
      // The file may be completed within the same tick of its time stamp.
      seen = undefined;
      return;
    }
    if (seen !== undefined || told !== '')
      log(
        'info',
        'files of the settings have changed: logins, users and certificates for registries are read from them',
      );
    told = '';
    seen = now;
    settings = read.settings;
  }

  /** A look that has begun may be older than a change, so a later request for one begins another. */
  async function look(): Promise<void> {
    const running = looking;
    if (running) await running;
    if (looking && looking !== running) return looking;
    looking = lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  return {
    look,
    async newest(route, atOnce) {
      if (atOnce || clock() - lookedAt >= lookMs) await look();
      return route === undefined ? settings : settings.routes.find(({ id }) => id === route)?.settings;
    },
  };
}

/** Changes if a file is replaced, written or removed, also through a link. */
async function signatureOf(paths: readonly string[]): Promise<string> {
  const each = paths.map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch {
      return 'missing';
    }
  });
  return (await Promise.all(each)).join('\n');
}
