import { systemWallClock } from '../../clock.ts';
import type { RouteSettings } from '../../config/route-settings.ts';
import { readSettings, settingNames } from '../../config/settings.ts';
import { type CheckedSettings, checkSettings } from '../../runtime/node/check-settings.ts';
import { readFile, yamlParserFor } from '../../runtime/node/files.ts';
import { portsOf } from '../../runtime/node/serve.ts';
import { certificateWarnings, upstreamCertificateWarning } from '../../runtime/node/tls/certificate.ts';
import { readProxyEnvironment } from '../../upstream/outbound-proxy.ts';
import { registriesOf } from '../registries.ts';
import { cannotStart, formatWarning } from '../start-problems.ts';
import { type DataOptions, type Io, printData, printLines, printNote } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';
import { exitCodes } from '../usage.ts';

/**
 * `regshift check-config`: checks the settings, the signing key and the certificate.
 * @returns exit code 2 if a setting is wrong.
 */
export async function checkConfig(options: DataOptions, io: Io): Promise<number> {
  const checked = await checkSettings(readSettings(io.env, readFile, await yamlParserFor(io.env)), io.env);
  const warnings = warningsOf(checked);
  if ('problems' in checked) {
    const { problems } = checked;
    if (!printData(io, { valid: false, problems, warnings }, options)) printNote(io, cannotStart(checked));
    return exitCodes.wrongUsage;
  }
  const { settings, signingKeyId } = checked;
  const outbound = readProxyEnvironment(io.env);
  const { HOST, routes } = settings;
  const scheme = settings.REGSHIFT_TLS_CERT === undefined ? 'http' : 'https';
  const host = HOST.includes(':') ? `[${HOST}]` : HOST;
  const listens = portsOf(settings)
    .map((port) => `${scheme}://${host}:${port}`)
    .join(', ');
  const signsWith = signingKeyId ?? 'a new key at each start';
  const served = routes.map(routeFacts);
  const set = settingNames.filter((name) => (io.env[name] ?? '').trim() !== '');
  const proxies = [outbound.https, outbound.http].flatMap((url) => (url ? [url.host] : []));
  const outboundProxies = [...new Set(proxies)];
  const facts = { valid: true, listens, signsWith, routes: served, set, outboundProxies, warnings };
  if (printData(io, facts, options)) return exitCodes.good;
  for (const warning of warnings) printNote(io, formatWarning(warning));
  printLines(io, [`listens on ${listens}`, `signs with ${signsWith}`]);
  if (outboundProxies.length > 0) printLines(io, [`outbound proxy ${outboundProxies.join(', ')}`]);
  printLines(io, [`set: ${set.join(', ') || 'none (docs/settings.md lists the defaults)'}`, '']);
  const head = ['route', 'registry', 'upstream auth', 'client auth', 'form', 'layers'];
  printTable(
    io,
    served.map((facts) => Object.values(facts)),
    head,
  );
  return exitCodes.good;
}

/** The warnings that the start logs. */
function warningsOf(checked: CheckedSettings): string[] {
  if ('problems' in checked) return [...checked.warnings];
  const { warnings, certificate, settings } = checked;
  const now = systemWallClock();
  const found = certificate ? certificateWarnings(certificate, now) : [];
  const shown = settings.routes.map((route) => {
    const { REGSHIFT_UPSTREAM_CERT: cert } = route.settings;
    return cert === undefined ? undefined : upstreamCertificateWarning(cert, now)?.message;
  });
  return [...new Set([...warnings, ...found.map(({ message }) => message), ...shown])].filter(
    (message) => message !== undefined,
  );
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
