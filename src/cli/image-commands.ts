import { type Command, Option } from '@commander-js/extra-typings';
import { convertTargets } from './images/convert-target.ts';
import { readPlatformOption } from './option-values.ts';
import type { Io } from './terminal/io.ts';

const forms = ['auto', 'schema1', 'schema2', 'oci', 'generic'] as const;

const imageHelp = `
An image is named as for docker pull: alpine, ghcr.io/owner/app:1.0, registry.example:5000/app@sha256:…
Registries are read directly, with the logins of docker login (DOCKER_CONFIG). http:// is spoken with this machine
itself, with --plain-http, or where the name begins with http://.`;

/** Commands for whoever wants to know or to change an image. */
export function addImageCommands(program: Command, io: Io, done: (code: number) => void): void {
  addConvert(program, io, done);
  addInspect(program, io, done);
  addExplain(program, io, done);
  addVerify(program, io, done);
}

function addConvert(program: Command, io: Io, done: (code: number) => void): void {
  const to = new Option('--to <form>', 'the form to convert to')
    .choices(convertTargets)
    .makeOptionMandatory();
  program
    .command('convert')
    .summary('convert a manifest in a file')
    .description('Converts a manifest in a file (- is standard input), and says what was lost on the way.')
    .argument('<manifest>', 'the file; a manifest of any form')
    .addOption(to)
    .option('--config <file>', "the image's config, where it is in a file of its own")
    .option('--from <dir>', 'where configs, children and layers are: an OCI layout, or a folder of files')
    .option('--name <name>', "schema1, v1: the repository's name, which the manifest holds")
    .option('--tag <tag>', 'schema1: the tag, which the manifest holds', 'latest')
    .option(
      '--key <file>',
      'schema1: the key that signs (regshift keygen); without it one is made and thrown away',
    )
    .option('--platform <platform>', 'the image to take of an index, like linux/arm/v7', readPlatformOption)
    .option(
      '--no-zstd',
      'for clients that cannot unpack zstd: layers become plain tars (schema1, schema2, list, v1: always)',
    )
    .option('--out <path>', 'a file, or a folder (it ends with /) that becomes an OCI layout')
    .option('--json', 'for machines: what was done')
    .addHelpText(
      'after',
      '\nExample:\n  regshift convert layout/manifest.json --to schema2 --from layout --out converted/',
    )
    .action(async (manifest, options) =>
      done(await (await import('./commands/convert.ts')).convertFile(manifest, options, io)),
    );
}

function addInspect(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('inspect')
    .summary('tell what an image is, and what each client would be given')
    .description(
      'Tells what is stored under a name, and what regshift would give to each generation of clients.',
    )
    .argument('<image>', 'host/name:tag or host/name@sha256:…')
    .option('--plain-http', 'speak http:// with the registry')
    .option('--platform <platform>', 'of an index: the image to look into', readPlatformOption)
    .option(
      '--read-layers',
      'read whole layers where a conversion needs that (zstd); all of them are downloaded',
    )
    .option('--json', 'for machines')
    .addHelpText('after', `${imageHelp}\n\nExample:\n  regshift inspect alpine:3.20`)
    .action(async (image, options) =>
      done(await (await import('./commands/inspect.ts')).inspect(image, options, io)),
    );
}

function addExplain(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('explain')
    .summary('tell step by step what one client is given, and why')
    .description('Tells step by step what a client with these headers is given for an image, and why.')
    .argument('<image>', 'host/name:tag or host/name@sha256:…')
    .option('--accept <types...>', 'the values of Accept; without it none is sent, as by Docker up to 1.9')
    .option('--user-agent <text>', 'as the client says it, like "docker/1.13.1 os/linux arch/amd64"')
    .option(
      '--for <client>',
      'the headers of a client that is known here, like docker-1.13, in place of these two',
    )
    .addOption(
      new Option('--pin <form>', 'as if REGSHIFT_FORMAT were this').choices(forms).default('auto' as const),
    )
    .option('--plain-http', 'speak http:// with the registry')
    .option('--platform <platform>', 'as if REGSHIFT_PLATFORM were this', readPlatformOption)
    .option(
      '--read-layers',
      'read whole layers where a conversion needs that (zstd); all of them are downloaded',
    )
    .option('--json', 'for machines')
    .addHelpText('after', `${imageHelp}\n\nExample:\n  regshift explain alpine:3.20 --for docker-1.13`)
    .action(async (image, options) =>
      done(await (await import('./commands/explain.ts')).explain(image, options, io)),
    );
}

function addVerify(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('verify')
    .summary('check digests, and the signatures and ids of schema 1')
    .description(
      'Checks a manifest, its configs and all manifests below it; of schema 1 its signatures and ids too.',
    )
    .argument('<image>', 'a file, or host/name:tag, or host/name@sha256:…')
    .option('--from <dir>', 'of a file: where configs, children and layers are')
    .option('--layers', 'read the layers too, and check their digests and diff_ids')
    .option('--plain-http', 'speak http:// with the registry')
    .option('--json', 'for machines')
    .addHelpText('after', `${imageHelp}\n\nExample:\n  regshift verify registry.example/old/app:1.0`)
    .action(async (image, options) =>
      done(await (await import('./commands/verify.ts')).verify(image, options, io)),
    );
}
