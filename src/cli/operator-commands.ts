import { type Command, Option } from '@commander-js/extra-typings';
import { readPlatformOption, readSecondsOption, readUrlOption } from './option-values.ts';
import type { Io } from './terminal/io.ts';

/** Commands for whoever runs a proxy. */
export function addOperatorCommands(program: Command, io: Io, done: (code: number) => void): void {
  addServe(program, io, done);
  addCheckConfig(program, io, done);
  addKeygen(program, io, done);
  addWarm(program, io, done);
}

function addServe(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('serve')
    .summary('start the proxy')
    .description('Starts the proxy. Variables configure it; README.md lists them.')
    .addHelpText('after', '\nExample:\n  REGSHIFT_UPSTREAM=https://registry.example regshift serve')
    .action(async () => done(await (await import('./commands/serve.ts')).runServe(io)));
}

function addCheckConfig(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('check-config')
    .summary('read the settings that serve would read, and say what is wrong with them')
    .description(
      'Reads the variables and files that serve would read. Prints every problem, or what would be served.',
    )
    .option('--json', 'for machines')
    .addHelpText('after', '\nExample:\n  REGSHIFT_UPSTREAM=https://registry.example regshift check-config')
    .action(async (options) =>
      done(await (await import('./commands/check-config.ts')).checkConfig(options, io)),
    );
}

function addKeygen(program: Command, io: Io, done: (code: number) => void): void {
  const format = new Option('--format <format>', 'how the key is written').choices(['jwk', 'pem'] as const);
  program
    .command('keygen')
    .summary('make a key for REGSHIFT_SIGNING_KEY')
    .description('Makes a P-256 key that signs schema 1 manifests, as REGSHIFT_SIGNING_KEY takes it.')
    .option('--out <file>', 'a new file, which its owner alone can read; without it the key is printed')
    .addOption(format.default('pem' as const))
    .option('--json', 'for machines')
    .addHelpText('after', '\nExample:\n  regshift keygen --out signing-key.pem')
    .action(async (options) => done(await (await import('./commands/keygen.ts')).keygen(options, io)));
}

function addWarm(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('warm')
    .summary('ask a proxy ahead of the first pull for what its clients will ask')
    .description(
      'Asks a proxy for images as its clients will ask, so that layers are read and manifests converted ahead of the ' +
        'first pull. Where the proxy says when to come back, it waits and comes back.',
    )
    .argument('<image...>', 'names as clients of the proxy write them, without its host: team/app:1.0')
    .option('--proxy <url>', 'the proxy', readUrlOption, new URL('http://127.0.0.1:8080'))
    .option('--for <clients...>', 'the clients to pull as, like docker-1.13 or docker-19.03.3')
    .option('--all-clients', 'pull as each generation of clients')
    .option('--all-tags', 'pull all tags of these repositories')
    .option('--platform <platform>', 'what the clients run on', readPlatformOption, {
      os: 'linux',
      architecture: 'amd64',
    })
    .option('--wait <seconds>', 'how long to wait for one image', readSecondsOption, 3600)
    .option('--json', 'for machines')
    .addHelpText(
      'after',
      '\nExample:\n  regshift warm team/app:1.0 --proxy http://127.0.0.1:8080 --for docker-1.13',
    )
    .action(async (images, options) =>
      done(await (await import('./commands/warm.ts')).warm(images, options, io)),
    );
}
