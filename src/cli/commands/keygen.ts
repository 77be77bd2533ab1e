import { writeFileSync } from 'node:fs';
import { exportJWK, exportPKCS8 } from 'jose';
import { generateSigningKey, type SigningKey } from '../../../converters/crypto/signing-key.ts';
import { isOfSystem } from '../system-error.ts';
import { type Io, outputFile, printJson, printLines, printNote } from '../terminal/io.ts';
import { exitCodes } from '../usage.ts';

interface Options {
  readonly out?: string | undefined;
  readonly format: 'jwk' | 'pem';
  readonly json?: true | undefined;
}

/** `regshift keygen`: makes a P-256 signing key. @returns exit code 1 if the file exists. */
export async function keygen({ format, json, ...options }: Options, io: Io): Promise<number> {
  const out = outputFile(options.out);
  const key = await generateSigningKey();
  const text = format === 'pem' ? await exportPKCS8(key.privateKey) : await jwkText(key);
  if (out !== undefined && !written(out, text, io)) return exitCodes.failed;
  if (json) printJson(io, { keyId: key.id, format, ...(out === undefined ? { key: text } : { file: out }) });
  else if (out !== undefined) printLines(io, [`${out} holds the key ${key.id}`]);
  else {
    io.stdout(text.endsWith('\n') ? text : `${text}\n`);
    printNote(io, `This is the key ${key.id}`);
  }
  return exitCodes.good;
}

/** Writes the key as a JWK with its id in `kid`, like Docker's own key.json. */
async function jwkText({ privateKey, id }: SigningKey): Promise<string> {
  const { crv, kty, x, y, d } = await exportJWK(privateKey);
  return `${JSON.stringify({ crv, d, kid: id, kty, x, y })}\n`;
}

/** Writes a new file. An existing file stays: it may be the only copy of a key. */
function written(file: string, text: string, io: Io): boolean {
  try {
    writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (!isOfSystem(error) || error.code !== 'EEXIST') throw error;
    printNote(io, `regshift: ${file} already exists, and a key in it would be lost. Name another file.`);
    return false;
  }
}
