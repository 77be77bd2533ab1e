import { readSigningKey } from '../../../converters/crypto/signing-key.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { valueWithin } from '../../concurrency/deadline.ts';
import { formatNearMiss, nearMisses, productionNearMiss } from '../../config/near-misses.ts';
import { notShown, type RawSettings, type SettingProblem } from '../../config/problem.ts';
import { redacted } from '../../config/redacted.ts';
import { UnreadableFileError } from '../../config/setting-files.ts';
import type { ReadSettings, Settings } from '../../config/settings.ts';
import { distinct } from '../../config/sources.ts';
import { parseStoreAddress, type StoreAddress } from '../../config/store.ts';
import { proxyForm, readProxyEnvironment } from '../../upstream/outbound-proxy.ts';
import { certificateProblem } from './http/connections.ts';
import { idleWarnings } from './idle-settings.ts';
import { signingKeyText } from './platform.ts';
import { type CertificateSettings, upstreamTls } from './route-fetch.ts';
import { createStoreOperations, type FileOperations } from './store/file-operations.ts';
import { lookAtFolder } from './store/folder-place.ts';
import { type Certificate, loadCertificate } from './tls/certificate.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type CheckedSettings = {
  /** Sentences about variables that have no effect, and probably should have. */
  readonly warnings: readonly string[];
} & (
  | {
      /** With the text of the signing key in place of its path: the path may be one that can be read once (`<(…)`). */
      readonly settings: Settings;
      /** undefined: made at the start. */
      readonly signingKeyId: string | undefined;
      /** undefined: the proxy does not speak TLS. */
      readonly certificate: Certificate | undefined;
      /** Those that looked at the folder of the store, for the store itself; undefined without a folder. */
      readonly storeOperations: FileOperations | undefined;
    }
  | { readonly problems: readonly SettingProblem[] }
);

/**
 * Checks the settings together with the keys and certificates that they name, so that an operator can correct all
 * problems together.
 */
export async function checkSettings(read: ReadSettings, env: Environment): Promise<CheckedSettings> {
  const isRead = 'settings' in read;
  const key = await checkKey(isRead ? read.settings.REGSHIFT_SIGNING_KEY : read.raw.REGSHIFT_SIGNING_KEY);
  const tls = loadCertificate(isRead ? read.settings : tlsOf(read.raw));
  const known = isRead ? [] : read.problems;
  const store = await checkStore(isRead ? read.settings.REGSHIFT_STORE : storeOf(read.raw));
  const found = [
    ...readProxyEnvironment(env).wrong.map((variable) => ({
      variable,
      value: redacted(variable, env[variable]),
      message: proxyForm,
    })),
    ...upstreamProblems(isRead ? read.settings.routes.map(({ settings }) => settings) : [read.raw]),
    ...('problem' in key ? [key.problem] : []),
    ...('problems' in tls ? tls.problems : []),
    ...store.problems,
  ].filter(({ variable }) => !known.some((problem) => problem.variable === variable));
  const warnings = [
    ...read.warnings,
    ...(isRead ? idleWarnings(read.settings) : []),
    ...nearMisses(env).map(formatNearMiss),
    ...productionNearMiss(env),
  ];
  return isRead && found.length === 0
    ? {
        settings: { ...read.settings, ...('text' in key ? { REGSHIFT_SIGNING_KEY: key.text } : {}) },
        signingKeyId: 'id' in key ? key.id : undefined,
        certificate: 'certificate' in tls ? tls.certificate : undefined,
        storeOperations: store.operations,
        warnings,
      }
    : { problems: distinct([...known, ...found]), warnings };
}

function tlsOf({ REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key }: RawSettings) {
  return {
    ...(cert === undefined ? {} : { REGSHIFT_TLS_CERT: cert }),
    ...(key === undefined ? {} : { REGSHIFT_TLS_KEY: key }),
  };
}

/** A wrong address is a problem of its own. */
function storeOf({ REGSHIFT_STORE: text = '' }: RawSettings): StoreAddress | undefined {
  const address = parseStoreAddress(text.trim());
  return 'problem' in address ? undefined : address;
}

function upstreamProblems(routes: readonly CertificateSettings[]): SettingProblem[] {
  return routes.flatMap((settings) => {
    const tls = upstreamTls(settings);
    const problem = tls && certificateProblem(tls);
    return problem ? [{ ...problem, value: notShown }] : [];
  });
}

/** Milliseconds. A folder that does not answer within this time, like one on a server that is away, is no reason. */
const lookMs = 1_000;

interface CheckedStore {
  readonly problems: readonly SettingProblem[];
  readonly operations: FileOperations | undefined;
}

async function checkStore(address: StoreAddress | undefined): Promise<CheckedStore> {
  if (address?.kind !== 'file') return { problems: [], operations: undefined };
  const operations = createStoreOperations();
  const place = await valueWithin(lookMs, lookAtFolder(address.path, operations)).catch(() => undefined);
  if (typeof place !== 'object') return { problems: [], operations };
  const value = `file://${address.path}`;
  return { problems: [{ variable: 'REGSHIFT_STORE', value, message: place.problem }], operations };
}

type KeyCheck =
  | { readonly id: string; readonly text: string }
  | { readonly problem: SettingProblem }
  | Record<never, never>;

async function checkKey(setting: string | undefined): Promise<KeyCheck> {
  if (setting === undefined) return {};
  try {
    const text = await signingKeyText(setting);
    return { id: (await readSigningKey(text)).id, text };
  } catch (error) {
    return { problem: { variable: 'REGSHIFT_SIGNING_KEY', value: notShown, message: keyMessage(error) } };
  }
}

function keyMessage(error: unknown): string {
  if (error instanceof ConversionError) return `cannot be used: ${error.message}`;
  const why = error instanceof UnreadableFileError ? error.ending : '';
  return `is neither a key nor a path to a readable file${why}`;
}
