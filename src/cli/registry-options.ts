import type { Command, OptionValues } from '@commander-js/extra-typings';
import { readBooleanOption } from './option-values.ts';

/** The values of the options that `withRegistryOptions` adds. */
export interface AccessOptions {
  readonly plainHttp?: true | undefined;
  /** User and password with a colon between them. */
  readonly creds?: string | undefined;
  readonly tlsVerify?: boolean | undefined;
  /** A path to certificates. */
  readonly ca?: string | undefined;
  readonly verbose?: true | undefined;
}

/** Adds the options of a command that contacts a registry. */
export function withRegistryOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
): Command<Args, Options & AccessOptions> {
  command
    .option('--plain-http', 'use http:// for names that begin with neither http:// nor https://')
    .option('--creds <user:password>', 'the login, instead of that of docker login')
    .option('--tls-verify <true|false>', 'false: do not verify the certificate', readBooleanOption)
    .option('--ca <file>', 'a PEM file with authorities to trust beside those of Node')
    .option('--verbose', 'print each request to the registry on standard error');
  // The parser adds options in place. Its types cannot say that for a command of any options.
  return command as unknown as Command<Args, Options & AccessOptions>;
}
