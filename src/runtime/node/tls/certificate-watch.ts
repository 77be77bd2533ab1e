import { statSync } from 'node:fs';
import { type Clock, systemClock, systemWallClock, type WallClock } from '../../../clock.ts';
import { formatProblems } from '../../../config/problem.ts';
import type { Log } from '../../../observability/log.ts';
import { type Certificate, isPath, loadCertificate, logWarnings, type TlsSettings } from './certificate.ts';

export interface CertificateWatch {
  /** Reads the files now. */
  look(): void;
  stop(): void;
}

export interface CertificateWatchOptions {
  readonly settings: TlsSettings;
  /** The certificate that is served now. */
  readonly current: Certificate;
  readonly onNew: (certificate: Certificate) => void;
  readonly log: Log;
  readonly intervalMs?: number;
  readonly clock?: Clock;
  readonly wallClock?: WallClock;
}

/** Files are read and compared instead of watched: Kubernetes changes a link two folders above them. */
const defaultIntervalMs = 10_000;
const remindMs = 86_400_000;

/**
 * Serves a renewed certificate. A half-written file, or a key that does not fit, is ignored: the old certificate
 * stays, and the log says so once.
 */
export function watchCertificate(options: CertificateWatchOptions): CertificateWatch {
  const { settings, onNew, log, intervalMs = defaultIntervalMs } = options;
  const { clock = systemClock, wallClock = systemWallClock } = options;
  let { current } = options;
  let told = '';
  let reminded = clock();

  const paths = [settings.REGSHIFT_TLS_CERT, settings.REGSHIFT_TLS_KEY].filter(isPath);
  // A pipe of a shell can be read once, at the start.
  const changes =
    paths.length > 0 && paths.every((path) => statSync(path, { throwIfNoEntry: false })?.isFile() !== false);

  function look(): void {
    if (!changes) return;
    if (clock() - reminded > remindMs) {
      reminded = clock();
      logWarnings(current, log, wallClock());
    }
    const loaded = loadCertificate(settings, true);
    if ('problems' in loaded) {
      const reason = formatProblems(loaded.problems);
      // Between the two writes of a renewal, the key belongs to another certificate.
      if (reason !== told)
        log('warn', 'the new certificate cannot be used: the old one is served', { reason });
      told = reason;
      return;
    }
    told = '';
    const { certificate } = loaded;
    if (certificate === undefined || isSame(certificate, current)) return;
    current = certificate;
    onNew(certificate);
    log('info', 'a new certificate is served', { until: new Date(certificate.notAfter).toISOString() });
    logWarnings(certificate, log, wallClock());
  }

  const timer = changes ? setInterval(look, intervalMs) : undefined;
  timer?.unref();
  return { look, stop: () => clearInterval(timer) };
}

function isSame(one: Certificate, other: Certificate): boolean {
  return one.cert === other.cert && one.key === other.key;
}
