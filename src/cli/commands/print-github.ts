import { appendFileSync } from 'node:fs';
import { escapeControl } from '../../observability/log-format.ts';
import type { ImageVerdicts, Verdict } from '../images/check-client.ts';
import type { Io } from '../terminal/io.ts';

/**
 * Prints an annotation for each bad verdict, and adds a table to the summary of the job, whose file GitHub names in
 * GITHUB_STEP_SUMMARY (docs.github.com, "Workflow commands for GitHub Actions").
 * @param print writes to standard output or standard error: the runner reads commands from both (actions/runner,
 *   src/Runner.Worker/Handlers/ScriptHandler.cs).
 */
export function printGithub(all: readonly ImageVerdicts[], { env }: Io, print: (text: string) => void): void {
  for (const each of all) for (const line of annotations(each)) print(`${line}\n`);
  const file = env.GITHUB_STEP_SUMMARY;
  if (file) appendFileSync(file, summary(all));
}

function annotations({ image, clients, failed }: ImageVerdicts): string[] {
  if (failed !== undefined) return [annotation(`${image} cannot be checked`, failed)];
  return clients.flatMap(({ name, obstacle, help, proxy }) => {
    if (obstacle === undefined) return [];
    const text = [
      obstacle.reason,
      ...(help === undefined ? [] : [`Help: ${help}`]),
      ...(proxy ? [proxyText(proxy)] : []),
    ].join('\n');
    return [annotation(`${name} cannot use ${image}`, text)];
  });
}

/**
 * A workflow command, with the escapes of actions/toolkit, packages/core/src/command.ts. Messages of registries may hold
 * invisible characters.
 */
function annotation(title: string, message: string): string {
  const data = (text: string) =>
    text.split('\n').map(escapeControl).join('\n').replaceAll('%', '%25').replaceAll('\n', '%0A');
  const property = data(title).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::error title=${property}::${data(message)}`;
}

function summary(all: readonly ImageVerdicts[]): string {
  const rows = all.flatMap(({ image, clients, failed }) =>
    failed === undefined
      ? clients.map((verdict) => [image, verdict.name, ...verdictCells(verdict)])
      : [[image, 'all', '❌', failed]],
  );
  const lines = rows.map((row) => `| ${row.map(cell).join(' | ')} |\n`).join('');
  return `### Clients and images\n\n| image | client | | reason |\n|---|---|---|---|\n${lines}\n`;
}

function verdictCells({ works, obstacle, proxy }: Verdict): string[] {
  return [
    works ? '✅' : '❌',
    [obstacle?.reason ?? '', proxy ? proxyText(proxy) : ''].filter(Boolean).join('. '),
  ];
}

function proxyText({ works, detail }: NonNullable<Verdict['proxy']>): string {
  return `With regshift: ${works ? 'good' : 'bad'}, ${detail}`;
}

/** Text in a cell of a Markdown table. */
function cell(text: string): string {
  const shown = escapeControl(text.replace(/\s+/g, ' '));
  return shown.replace(/[\\|<>`*_[\]]/g, (character) => `\\${character}`);
}
