import { readFileSync } from 'node:fs';
import { ConversionError } from '../../converters/errors.ts';
import { readSigningKey } from '../../converters/schema1/signing-key.ts';
import {
  formatProblems,
  readSettings,
  type SettingProblem,
  type Settings,
  settingNames,
} from '../config/settings.ts';
import { signingKeyText } from '../runtime/node/platform.ts';
import { type Io, printJson, printLines } from './io.ts';
import { printTable } from './print-table.ts';
import { exitCodes } from './usage.ts';

/** `regshift check-config` */
export async function checkConfig({ json }: { readonly json?: true | undefined }, io: Io): Promise<number> {
  const read = readSettings(io.env, (path) => readFileSync(path, 'utf8'));
  const key = await keyIn(io.env.REGSHIFT_SIGNING_KEY?.trim() || undefined);
  const problems = [...('problems' in read ? read.problems : []), ...('problem' in key ? [key.problem] : [])];
  if ('problems' in read || problems.length > 0) {
    if (json) printJson(io, { valid: false, problems });
    else io.tell(`regshift would not start with these settings:\n${formatProblems(problems)}\n`);
    return exitCodes.wrongUsage;
  }
  const facts = summary(read.settings, 'id' in key ? key.id : undefined);
  const set = settingNames.filter((name) => (io.env[name] ?? '').trim() !== '');
  if (json) printJson(io, { valid: true, serves: facts, set });
  else {
    printTable(
      io,
      Object.entries(facts).map(([what, is]) => [what, String(is)]),
    );
    printLines(io, [`set: ${set.join(', ') || 'nothing, so all is as the README says'}`]);
  }
  return exitCodes.good;
}

/** What an operator would ask about first; no value that is secret. */
function summary(settings: Settings, keyId: string | undefined): Record<string, string | number> {
  const { HOST, PORT, REGSHIFT_UPSTREAM: upstream } = settings;
  return {
    registry: upstream?.href ?? 'the sample registry inside the process',
    'listens on': `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`,
    'asks the registry as': settings.REGSHIFT_UPSTREAM_AUTH,
    'lets in': settings.REGSHIFT_CLIENT_AUTH ?? 'whoever the registry lets in',
    form: settings.REGSHIFT_FORMAT,
    'signs with': keyId ?? 'a key made at each start',
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
