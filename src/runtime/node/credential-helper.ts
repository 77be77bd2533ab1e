import { spawn } from 'node:child_process';
import * as z from 'zod/mini';
import type { AskHelper, HelperAnswer } from '../../auth/credential-helper.ts';
import type { HelperQuestion } from '../../auth/docker-config.ts';
import { RegistryError } from '../../errors.ts';

/** Helpers of clouds ask a server first. */
const defaultDeadlineMs = 10_000;
const answerLimit = 65_536;

/** docker-credential-helpers print it on stdout, where others print errors. */
const notFound = 'credentials not found in native keychain';

const filled = z.string().check(z.minLength(1));
const answer = z.object({ Username: filled, Secret: filled });

/**
 * Runs `docker-credential-<name> get` with the server's address on its stdin, as Docker does: found by name in PATH,
 * without a shell, with the proxy's variables except its own settings. Its output goes nowhere else.
 */
export function createAskHelper(deadlineMs = defaultDeadlineMs): AskHelper {
  return async (question) => {
    const { code, signal, output } = await run(question, deadlineMs);
    const { program, server } = question;
    if (output.trim() === notFound) {
      throw failed(`${program} keeps no login for ${server}: run docker login there`, { reason: 'NO_LOGIN' });
    }
    if (code !== 0) {
      const end = signal === null ? `ended with the code ${code}` : `was ended by ${signal}`;
      throw failed(`${program} ${end} when asked for the login of ${server}`);
    }
    return read(output, question);
  };
}

interface Ended {
  readonly code: number | null;
  /** The signal that ended it, like SIGKILL where memory runs out. */
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

function run({ program, server }: HelperQuestion, deadlineMs: number): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], env: environment() });
  const stop = (reason: string) => {
    reject(failed(reason));
    child.kill('SIGKILL');
    // A process that the helper started, like the Python of a script, may hold the pipe, for which Node would wait.
    child.stdout.destroy();
  };
  const timer = setTimeout(() => stop(`${program} did not answer within ${deadlineMs} ms`), deadlineMs);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece;
    if (output.length > answerLimit) stop(`${program} answered with more than ${answerLimit} characters`);
  });
  // A program that does not read its stdin is judged by its output.
  child.stdin.on('error', () => undefined).end(server);
  child.once('error', (error: NodeJS.ErrnoException) => reject(cannotRun(program, error.code)));
  child.once('close', (code, signal) => resolve({ code, signal, output }));
  return promise.finally(() => clearTimeout(timer));
}

/** A helper does not need the signing key or passwords. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('REGSHIFT_')));
}

function read(output: string, { program, server }: HelperQuestion): HelperAnswer {
  try {
    const { Username: username, Secret: secret } = answer.parse(JSON.parse(output));
    return { username, secret };
  } catch {
    // Without a cause: a parser's error quotes the text that it read.
    throw failed(
      `${program} did not answer with {"Username": …, "Secret": …} when asked for the login of ${server}`,
    );
  }
}

function cannotRun(program: string, code: string | undefined): RegistryError {
  const why = code === 'ENOENT' ? 'is not in the PATH' : `cannot be run (${code})`;
  return failed(`${program} ${why}: install it where this program runs`, { reason: 'NO_PROGRAM' });
}

function failed(message: string, detail?: Readonly<Record<string, unknown>>): RegistryError {
  return new RegistryError('MISCONFIGURED', `The login for upstream is not available: ${message}.`, {
    detail,
  });
}
