import { readSigningKey } from '../../../converters/crypto/signing-key.ts';
import { ConversionError } from '../../../converters/errors.ts';
import type { SettingProblem } from '../../config/problem.ts';
import { formatProblems } from '../../config/problem.ts';
import type { RouteSettings } from '../../config/route-settings.ts';
import { readSettings, settingNames } from '../../config/settings.ts';
import { parseYaml, readFile } from '../../runtime/node/files.ts';
import { signingKeyText } from '../../runtime/node/platform.ts';
import { portsOf } from '../../runtime/node/serve.ts';
import { loadCertificate } from '../../runtime/node/tls/certificate.ts';
import { registriesOf } from '../registries.ts';
import { type Io, printJson, printLines } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';
import { exitCodes } from '../usage.ts';

/** `regshift check-config` */
export async function checkConfig({ json }: { readonly json?: true | undefined }, io: Io): Promise<number> {
  const read = readSettings(io.env, readFile, parseYaml);
  const said = 'settings' in read ? read.settings.REGSHIFT_SIGNING_KEY : io.env.REGSHIFT_SIGNING_KEY?.trim();
  const key = await keyIn(said || undefined);
  const tls = await loadCertificate('settings' in read ? read.settings : {});
  const problems = [
    ...('problems' in read ? read.problems : []),
    ...('problem' in key ? [key.problem] : []),
    ...('problems' in tls ? tls.problems : []),
  ];
  if ('problems' in read || problems.length > 0) {
    if (json) printJson(io, { valid: false, problems });
    else io.stderr(`regshift would not start with these settings:\n${formatProblems(problems)}\n`);
    return exitCodes.wrongUsage;
  }
  const { HOST, routes } = read.settings;
  const scheme = read.settings.REGSHIFT_TLS_CERT === undefined ? 'http' : 'https';
  const host = HOST.includes(':') ? `[${HOST}]` : HOST;
  const listens = portsOf(read.settings)
    .map((port) => `${scheme}://${host}:${port}`)
    .join(', ');
  const signsWith = 'id' in key ? key.id : 'a key made at each start';
  const served = routes.map(routeFacts);
  const set = settingNames.filter((name) => (io.env[name] ?? '').trim() !== '');
  if (json) {
    printJson(io, { valid: true, listens, signsWith, routes: served, set });
    return exitCodes.good;
  }
  printLines(io, [`listens on ${listens}`, `signs with ${signsWith}`]);
  printLines(io, [`set: ${set.join(', ') || 'nothing, so all is as README.md says'}`, '']);
  const head = ['route', 'registry', 'asked as', 'lets in', 'form', 'layers'];
  printTable(
    io,
    served.map((facts) => Object.values(facts)),
    head,
  );
  return exitCodes.good;
}

/** What an operator would ask about first; no value that is secret. */
function routeFacts({ id, settings }: RouteSettings): Record<string, string> {
  return {
    route: id,
    registry: registriesOf(settings) ?? 'the sample registry inside the process',
    askedAs: settings.REGSHIFT_UPSTREAM_AUTH,
    letsIn: settings.REGSHIFT_CLIENT_AUTH ?? 'whoever the registry lets in',
    form: settings.REGSHIFT_FORMAT,
    layers: settings.REGSHIFT_BLOBS,
  };
}

type KeyFound = { readonly id: string } | { readonly problem: SettingProblem } | Record<never, never>;

/** `serve` reads the key when all else is right; whoever checks wants to hear of it at once. */
async function keyIn(setting: string | undefined): Promise<KeyFound> {
  if (setting === undefined) return {};
  try {
    return { id: (await readSigningKey(await signingKeyText(setting))).id };
  } catch (error) {
    // The system's message quotes the path, which may be a key that somebody cut short.
    const message =
      error instanceof ConversionError
        ? `cannot be used: ${error.message}`
        : 'is neither a key nor a path to a file that can be read';
    return { problem: { variable: 'REGSHIFT_SIGNING_KEY', value: '(not shown)', message } };
  }
}
