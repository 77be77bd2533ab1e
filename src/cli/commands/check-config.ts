import { readSigningKey } from '../../../converters/crypto/signing-key.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { systemWallClock } from '../../clock.ts';
import { connectionOf } from '../../compose/upstream-fetch.ts';
import type { SettingProblem } from '../../config/problem.ts';
import { formatProblems } from '../../config/problem.ts';
import { redacted } from '../../config/redacted.ts';
import type { RouteSettings } from '../../config/route-settings.ts';
import { readSettings, type Settings, settingNames } from '../../config/settings.ts';
import { parseYaml, readFile } from '../../runtime/node/files.ts';
import { certificateProblem } from '../../runtime/node/http/connections.ts';
import { signingKeyText } from '../../runtime/node/platform.ts';
import { portsOf } from '../../runtime/node/serve.ts';
import { lookAtFolder } from '../../runtime/node/store/folder-place.ts';
import {
  certificateWarnings,
  type LoadedCertificate,
  loadCertificate,
} from '../../runtime/node/tls/certificate.ts';
import { proxyForm, readProxyEnvironment } from '../../upstream/outbound-proxy.ts';
import { registriesOf } from '../registries.ts';
import { type DataOptions, type Io, printData, printLines, printNote } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';
import { exitCodes } from '../usage.ts';

/**
 * `regshift check-config`: checks the settings, the signing key and the certificate.
 * @returns exit code 2 if a setting is wrong.
 */
export async function checkConfig(options: DataOptions, io: Io): Promise<number> {
  const read = readSettings(io.env, readFile, parseYaml);
  const signingKey =
    'settings' in read ? read.settings.REGSHIFT_SIGNING_KEY : io.env.REGSHIFT_SIGNING_KEY?.trim();
  const key = await checkKey(signingKey || undefined);
  const tls = await loadCertificate('settings' in read ? read.settings : {});
  const outbound = readProxyEnvironment(io.env);
  const problems = [
    ...('problems' in read ? read.problems : []),
    ...outbound.wrong.map((variable) => ({
      variable,
      value: redacted(variable, io.env[variable]),
      message: proxyForm,
    })),
    ...('settings' in read ? upstreamCertificateProblems(read.settings) : []),
    ...('problem' in key ? [key.problem] : []),
    ...('problems' in tls ? tls.problems : []),
    ...('settings' in read ? await storeProblems(read.settings) : []),
  ];
  if ('problems' in read || problems.length > 0) {
    if (!printData(io, { valid: false, problems }, options))
      printNote(io, `regshift cannot start with these settings:\n${formatProblems(problems)}`);
    return exitCodes.wrongUsage;
  }
  const { HOST, routes } = read.settings;
  const scheme = read.settings.REGSHIFT_TLS_CERT === undefined ? 'http' : 'https';
  const host = HOST.includes(':') ? `[${HOST}]` : HOST;
  const listens = portsOf(read.settings)
    .map((port) => `${scheme}://${host}:${port}`)
    .join(', ');
  const signsWith = 'id' in key ? key.id : 'a new key at each start';
  const served = routes.map(routeFacts);
  const set = settingNames.filter((name) => (io.env[name] ?? '').trim() !== '');
  const proxies = [outbound.https, outbound.http].flatMap((url) => (url ? [url.host] : []));
  const outboundProxies = [...new Set(proxies)];
  const warnings = tlsWarnings(tls);
  const facts = { valid: true, listens, signsWith, routes: served, set, outboundProxies, warnings };
  if (printData(io, facts, options)) return exitCodes.good;
  printLines(io, [`listens on ${listens}`, `signs with ${signsWith}`]);
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  if (outboundProxies.length > 0) printLines(io, [`outbound proxy ${outboundProxies.join(', ')}`]);
  printLines(io, [`set: ${set.join(', ') || 'none (README.md lists the defaults)'}`, '']);
  const head = ['route', 'registry', 'upstream auth', 'client auth', 'form', 'layers'];
  printTable(
    io,
    served.map((facts) => Object.values(facts)),
    head,
  );
  return exitCodes.good;
}

/** The warnings that the start logs. */
function tlsWarnings(loaded: LoadedCertificate): string[] {
  if ('problems' in loaded || loaded.certificate === undefined) return [];
  return certificateWarnings(loaded.certificate, systemWallClock()).map(({ message }) => message);
}

async function storeProblems({ REGSHIFT_STORE: address }: Settings): Promise<SettingProblem[]> {
  if (address?.kind !== 'file') return [];
  const place = await lookAtFolder(address.path);
  if (typeof place === 'string') return [];
  return [{ variable: 'REGSHIFT_STORE', value: `file://${address.path}`, message: place.problem }];
}

function upstreamCertificateProblems({ routes }: Settings): SettingProblem[] {
  return routes.flatMap(({ settings }) => {
    const { tls } = connectionOf(settings);
    const problem = tls && certificateProblem(tls);
    return problem ? [{ ...problem, value: '(not shown)' }] : [];
  });
}

/** Returns the main facts of a route, without secrets. */
function routeFacts({ id, settings }: RouteSettings): Record<string, string> {
  return {
    route: id,
    registry: registriesOf(settings) ?? 'the built-in sample registry',
    askedAs: settings.REGSHIFT_UPSTREAM_AUTH,
    letsIn: settings.REGSHIFT_CLIENT_AUTH ?? 'none: the registry decides',
    form: settings.REGSHIFT_FORMAT,
    layers: settings.REGSHIFT_BLOBS,
  };
}

type KeyCheck = { readonly id: string } | { readonly problem: SettingProblem } | Record<never, never>;

/** Reads the signing key. `serve` reads it only after all settings are valid; this command reports it with them. */
async function checkKey(setting: string | undefined): Promise<KeyCheck> {
  if (setting === undefined) return {};
  try {
    return { id: (await readSigningKey(await signingKeyText(setting))).id };
  } catch (error) {
    // The system's message quotes the path, which may be a truncated key.
    const message =
      error instanceof ConversionError
        ? `cannot be used: ${error.message}`
        : 'is neither a key nor a path to a readable file';
    return { problem: { variable: 'REGSHIFT_SIGNING_KEY', value: '(not shown)', message } };
  }
}
