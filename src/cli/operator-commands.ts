import { type Command, Option } from '@commander-js/extra-typings';
import {
  formatHelp,
  readBytesOption,
  readListOption,
  readPlatformOption,
  readPortOption,
  readSecondsOption,
  readTemplateOption,
  readUrlOption,
} from './option-values.ts';
import type { Io } from './terminal/io.ts';
import { clientsHelp } from './usage.ts';

/** Adds the commands for operators of a proxy. */
export function addOperatorCommands(program: Command, io: Io, done: (code: number) => void): void {
  addServe(program, io, done);
  addCheckConfig(program, io, done);
  addKeygen(program, io, done);
  addWarm(program, io, done);
  addStore(program, io, done);
}

function addServe(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('serve')
    .summary('start the proxy')
    .description(
      'Starts the proxy. Environment variables configure it; docs/settings.md lists them. Options win over variables.',
    )
    .option('--port <port>', 'the port to listen on, instead of PORT', readPortOption)
    .option('--host <address>', 'the address to listen on, instead of HOST')
    .option('--upstream <url>', 'the registry, instead of REGSHIFT_UPSTREAM')
    .addHelpText('after', '\nExample:\n  regshift serve --upstream https://registry.example --port 8080')
    .action(async (options) => {
      const { runServe, withOptions } = await import('./commands/serve.ts');
      done(await runServe(withOptions(io, options)));
    });
}

function addCheckConfig(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('check-config')
    .summary('check the settings that serve reads')
    .description(
      'Reads the variables and files that serve reads. Prints every problem, or the routes of the proxy.',
    )
    .option('-f, --format <template>', formatHelp('{{.listens}}'), readTemplateOption)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  REGSHIFT_UPSTREAM=https://registry.example regshift check-config')
    .action(async (options) =>
      done(await (await import('./commands/check-config.ts')).checkConfig(options, io)),
    );
}

function addKeygen(program: Command, io: Io, done: (code: number) => void): void {
  const format = new Option('--format <format>', 'the format of the key').choices(['jwk', 'pem'] as const);
  program
    .command('keygen')
    .summary('create a key for REGSHIFT_SIGNING_KEY')
    .description('Creates a P-256 key for REGSHIFT_SIGNING_KEY. The key signs schema 1 manifests.')
    .option(
      '--out <file>',
      'write the key to a new file that only its owner can read; default: print the key',
    )
    .addOption(format.default('pem' as const))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  regshift keygen --out signing-key.pem')
    .action(async (options) => done(await (await import('./commands/keygen.ts')).keygen(options, io)));
}

function addWarm(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('warm')
    .summary('pre-convert images so that the first pull is fast')
    .description(
      'Requests images from a proxy as its clients do. The proxy then reads layers and converts manifests before the ' +
        'first pull. If the proxy asks for a retry, the command waits and retries.',
    )
    .argument('<image...>', 'names as the clients of the proxy use them, without the host: team/app:1.0')
    .option('--proxy <url>', 'the address of the proxy', readUrlOption, new URL('http://127.0.0.1:8080'))
    .option('--for <clients...>', 'pull as these clients, like docker-1.13 or docker-19.03.3', readListOption)
    .option('--all-clients', 'pull as every known generation of clients')
    .option('--all-tags', 'pull all tags of the repositories')
    .addOption(
      new Option('--platform <platform>', 'the platform of the clients')
        .argParser(readPlatformOption)
        .default({ os: 'linux', architecture: 'amd64' }, 'linux/amd64'),
    )
    .option('--creds <user:password>', 'the login, instead of that of docker login')
    .option('--verbose', 'print each request to the proxy on standard error')
    .option('--wait <seconds>', 'the longest wait for one image', readSecondsOption, 3600)
    .option('-f, --format <template>', formatHelp('{{range .}}{{.image}} {{end}}'), readTemplateOption)
    .option('--full', 'print whole digests on a terminal')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${clientsHelp()}\n\nExample:\n  regshift warm team/app:1.0 --proxy http://127.0.0.1:8080 --for docker-1.13`,
    )
    .action(async (images, options) =>
      done(await (await import('./commands/warm.ts')).warm(images, options, io)),
    );
}

function addStore(program: Command, io: Io, done: (code: number) => void): void {
  const store = program
    .command('store')
    .summary('look after the store of layers')
    .description(
      'Reads or cleans the store that REGSHIFT_STORE names (docs/store.md). The proxy may run meanwhile.',
    )
    .addHelpText('after', '\nExample:\n  REGSHIFT_STORE=file:///var/lib/regshift regshift store info');
  store
    .command('info')
    .summary('count the layers of the store')
    .description('Counts the layers of the store, and their bytes.')
    .option('-f, --format <template>', formatHelp('{{.layers}}'), readTemplateOption)
    .option('--json', 'print JSON')
    .option('--verbose', 'print each request to a bucket on standard error')
    .addHelpText('after', '\nExample:\n  REGSHIFT_STORE=file:///var/lib/regshift regshift store info')
    .action(async (options) => done(await (await import('./commands/store.ts')).storeInfo(options, io)));
  store
    .command('verify')
    .summary('read all layers of the store, and remove damaged ones')
    .description(
      'Reads all layers of the store, and removes damaged ones. The exit code is 1 if a layer was damaged.',
    )
    .option('-f, --format <template>', formatHelp('{{.damaged}}'), readTemplateOption)
    .option('--json', 'print JSON')
    .option('--verbose', 'print each request to a bucket on standard error')
    .addHelpText('after', '\nExample:\n  REGSHIFT_STORE=file:///var/lib/regshift regshift store verify')
    .action(async (options) => done(await (await import('./commands/store.ts')).storeVerify(options, io)));
  store
    .command('prune')
    .summary('remove the layers that were used longest ago')
    .description(
      'Removes layers until the rest has no more than the given bytes: those that were used longest ago, and in a ' +
        'bucket those that were written longest ago.',
    )
    .option(
      '--bytes <bytes>',
      'the bytes that may stay, like 10GB or 10GiB; default: REGSHIFT_STORE_BYTES, and all in a bucket',
      readBytesOption,
    )
    .option('-f, --format <template>', formatHelp('{{.bytes}}'), readTemplateOption)
    .option('--json', 'print JSON')
    .option('--verbose', 'print each request to a bucket on standard error')
    .addHelpText(
      'after',
      '\nExample:\n  REGSHIFT_STORE=file:///var/lib/regshift regshift store prune --bytes 0',
    )
    .action(async (options) => done(await (await import('./commands/store.ts')).storePrune(options, io)));
}
