import { type Command, Option } from '@commander-js/extra-typings';
import { convertTargets } from './images/convert-target.ts';
import { formatHelp, readListOption, readPlatformOption, readTemplateOption } from './option-values.ts';
import { withRegistryOptions } from './registry-options.ts';
import type { Io } from './terminal/io.ts';
import { clientsHelp } from './usage.ts';

const forms = ['auto', 'schema1', 'schema2', 'oci', 'generic'] as const;

const imageHelp = `
Image names are those of docker pull: alpine, ghcr.io/owner/app:1.0,
registry.example:5000/app@sha256:…
The command contacts the registry directly, with the logins of docker login
(DOCKER_CONFIG). It uses https://. It uses http:// for registries on this
machine, with --plain-http, and for names that begin with http://.`;

/** An option for bytes as they are, which have neither JSON nor a template. */
function rawOption(description: string) {
  return new Option('--raw', description).conflicts(['json', 'format']);
}

/** Adds the commands that examine or convert an image. */
export function addImageCommands(program: Command, io: Io, done: (code: number) => void): void {
  addConvert(program, io, done);
  addInspect(program, io, done);
  addExplain(program, io, done);
  addVerify(program, io, done);
  addCopy(program, io, done);
  addSave(program, io, done);
  addCheck(program, io, done);
}

function addConvert(program: Command, io: Io, done: (code: number) => void): void {
  const to = new Option('--to <form>', 'the target form').choices(convertTargets).makeOptionMandatory();
  program
    .command('convert')
    .summary('convert a manifest in a file')
    .description(
      'Converts a manifest in a file (- is standard input), and prints what the target form cannot hold.',
    )
    .argument(
      '<manifest>',
      'a file with a manifest of any form, or a folder with an image: an OCI layout, or dir: of skopeo',
    )
    .addOption(to)
    .option('--config <file>', 'a file with the config of the image')
    .option(
      '--from <dir>',
      'a folder with the configs, child manifests and layers: an OCI layout, or plain files',
    )
    .option('--name <name>', 'schema1: the repository name, which is part of the manifest')
    .option('--tag <tag>', 'schema1: the tag, which is part of the manifest', 'latest')
    .option('--key <file>', 'schema1: the signing key (regshift keygen); default: a new key for this run')
    .option(
      '--platform <platform>',
      'the image of an index to convert, like linux/arm/v7',
      readPlatformOption,
    )
    .option('--no-zstd', 'decompress zstd layers to plain tars (always so for schema1, schema2, list and v1)')
    .option('--out <path>', 'write to a file, or to a folder (ends with /), which becomes an OCI layout')
    .option('--json', 'print JSON: the result and the losses')
    .addHelpText('after', '\nExample:\n  regshift convert layout/manifest.json --to schema2 --out converted/')
    .action(async (manifest, options) =>
      done(await (await import('./commands/convert.ts')).convertFile(manifest, options, io)),
    );
}

function addInspect(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('inspect')
    .summary('show an image, and what each client gets')
    .description(
      'Shows what a registry stores under a name, and what each generation of clients gets from regshift.',
    )
    .argument('<image>', 'host/name:tag or host/name@sha256:…')
    .option('--platform <platform>', 'the image of an index to show', readPlatformOption)
    .option('--read-layers', 'download and read whole layers if a conversion needs them (zstd)')
    .addOption(rawOption('print the stored manifest, byte for byte'))
    .option('-f, --format <template>', formatHelp('{{.stored.digest}}'), readTemplateOption)
    .option('--full', 'print whole digests on a terminal')
    .option('--json', 'print JSON');
  withRegistryOptions(command)
    .addHelpText('after', `${imageHelp}\n\nExample:\n  regshift inspect alpine:3.20`)
    .action(async (image, options) =>
      done(await (await import('./commands/inspect.ts')).inspect(image, options, io)),
    );
}

function addExplain(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('explain')
    .summary('show step by step what one client gets, and why')
    .description('Shows step by step what a client with the given headers gets for an image, and why.')
    .argument('<image>', 'host/name:tag or host/name@sha256:…')
    .option(
      '--accept <types...>',
      'the values of Accept; default: no Accept, as in requests of Docker up to 1.9',
    )
    .option('--user-agent <text>', 'the User-Agent, like "docker/1.13.1 os/linux arch/amd64"')
    .option(
      '--for <client>',
      'use the headers of a known client, like docker-1.13, instead of --accept and --user-agent',
    )
    .addOption(
      new Option('--pin <form>', 'the value of REGSHIFT_FORMAT').choices(forms).default('auto' as const),
    )
    .option('--platform <platform>', 'the value of REGSHIFT_PLATFORM', readPlatformOption)
    .option('--read-layers', 'download and read whole layers if a conversion needs them (zstd)')
    .addOption(rawOption('print the manifest that the client gets, byte for byte'))
    .option('-f, --format <template>', formatHelp('{{.answer.mediaType}}'), readTemplateOption)
    .option('--full', 'print whole digests on a terminal')
    .option('--json', 'print JSON');
  withRegistryOptions(command)
    .addHelpText(
      'after',
      `${imageHelp}\n${clientsHelp()}\n\nExample:\n  regshift explain alpine:3.20 --for docker-1.13`,
    )
    .action(async (image, options) =>
      done(await (await import('./commands/explain.ts')).explain(image, options, io)),
    );
}

function addVerify(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('verify')
    .summary('check digests, and signatures and ids of schema 1')
    .description(
      'Checks a manifest, its configs and all manifests below it. For schema 1, checks signatures and ids too.',
    )
    .argument('<image>', 'a file or a folder, as for convert; or host/name:tag, or host/name@sha256:…')
    .option('--from <dir>', 'for a file: the folder with configs, child manifests and layers')
    .option('--layers', 'read the layers, and check their digests and diff_ids')
    .option('--strict', 'exit code 1 if something could not be checked, too')
    .option('-f, --format <template>', formatHelp('{{.valid}}'), readTemplateOption)
    .option('--full', 'print whole digests on a terminal')
    .option('--json', 'print JSON');
  withRegistryOptions(command)
    .addHelpText('after', `${imageHelp}\n\nExample:\n  regshift verify registry.example/old/app:1.0`)
    .action(async (image, options) =>
      done(await (await import('./commands/verify.ts')).verify(image, options, io)),
    );
}

function addCopy(program: Command, io: Io, done: (code: number) => void): void {
  const as = new Option('--as <form>', 'convert to this form; default: the form that the source has');
  const drop = new Option('--drop <entries>', 'leave entries of an index out');
  const command = program
    .command('copy')
    .summary('copy an image to another registry, and convert it')
    .description(
      'Copies an image between registries, with all its content. Blobs that the target has are not sent again. A blob ' +
        'is mounted where both images are in one registry. For programs that read a registry themselves.',
    )
    .argument('<from>', 'host/name:tag or host/name@sha256:…')
    .argument('<to>', 'host/name:tag')
    .addOption(as.choices(['schema1', 'schema2', 'oci'] as const))
    .option(
      '--platform <platform>',
      'the image of an index to copy; default: linux/amd64',
      readPlatformOption,
    )
    .option('-a, --all', 'copy an index with all its images')
    .addOption(drop.choices(['attestations'] as const))
    .option(
      '--decompress',
      'replace zstd layers by plain tars in every form; default: by gzip layers, for schema1 and schema2',
    )
    .option('--to-creds <user:password>', 'the login at the target, instead of that of docker login')
    .option('-f, --format <template>', formatHelp('{{.digest}}'), readTemplateOption)
    .option('--full', 'print whole digests on a terminal')
    .option('--json', 'print JSON');
  withRegistryOptions(command)
    .addHelpText(
      'after',
      `${imageHelp}\n\nExample:\n  regshift copy ghcr.io/owner/app:1.0 registry.example/app:1.0 --as schema2`,
    )
    .action(async (from, to, options) =>
      done(await (await import('./commands/copy.ts')).copy(from, to, options, io)),
    );
}

function addSave(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('save')
    .summary('write an archive that docker load of an engine reads')
    .description(
      'Writes an image into a tar that the load command of a client reads: docker load of any version, podman load, ' +
        'ctr import. The same image gives the same bytes.',
    )
    .argument('<image>', 'host/name:tag or host/name@sha256:…')
    .requiredOption(
      '--for <client>',
      'the client that loads the archive, like docker-1.9, docker-20.10 or podman',
    )
    .option('-o, --output <file>', 'write to a file; default: standard output, if it is no terminal')
    .option(
      '--platform <platform>',
      'the image of an index to save; default: linux/amd64',
      readPlatformOption,
    )
    .option('-f, --format <template>', formatHelp('{{.id}}'), readTemplateOption)
    .option('--full', 'print whole digests on a terminal')
    .option('--json', 'print JSON');
  withRegistryOptions(command)
    .addHelpText(
      'after',
      `${imageHelp}\n\nExample:\n  regshift save alpine:3.20 --for docker-1.9 -o image.tar`,
    )
    .action(async (image, options) =>
      done(await (await import('./commands/save.ts')).save(image, options, io)),
    );
}

function addCheck(program: Command, io: Io, done: (code: number) => void): void {
  const command = program
    .command('check')
    .summary('tell which clients can use an image without regshift')
    .description(
      'Tells which clients can use images straight from their registry, and why others cannot. The exit code is 1 if ' +
        'one of the clients cannot use one of the images.',
    )
    .argument('[image...]', 'host/name:tag or host/name@sha256:…')
    .option(
      '--for, --clients <clients>',
      'clients with commas between them, like docker-1.13,podman-4,lambda; default: docker-1.13, docker-20.10, podman-4, ' +
        'containerd-2',
      readListOption,
    )
    .option('--with-proxy', 'tell whether regshift in front of the registry helps')
    .option('--pods', 'check the images of kubectl get pods -o json on standard input')
    .option('--platform <platform>', 'the platform of the clients; default: linux/amd64', readPlatformOption)
    .option('--read-layers', 'download and read whole layers if a conversion needs them (zstd)')
    .option('--github', 'print annotations and a job summary for GitHub Actions, too')
    .option('--full', 'print whole digests on a terminal')
    .option('-f, --format <template>', formatHelp('{{.valid}}'), readTemplateOption)
    .option('--json', 'print JSON');
  withRegistryOptions(command)
    .addHelpText(
      'after',
      `${imageHelp}\n${clientsHelp(['lambda'])}\n\nExample:\n  regshift check alpine:3.20 --clients docker-1.13,containerd-2 --with-proxy`,
    )
    .action(async (images, options) =>
      done(await (await import('./commands/check.ts')).check(images, options, io)),
    );
}
