import { counted } from '../../counted.ts';
import type { ImageVerdicts, Verdict } from '../images/check-client.ts';
import { type Io, printLines } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';
import type { Cell } from '../terminal/text.ts';

/** Whether an image was checked, and every client can use it. */
export function isGood({ clients, failed }: ImageVerdicts): boolean {
  return failed === undefined && clients.every(({ works }) => works);
}

/** Prints a table for each image, and how many of the verdicts are bad. */
export function printVerdicts(
  all: readonly ImageVerdicts[],
  { withProxy }: { readonly withProxy?: true | undefined },
  io: Io,
): void {
  for (const { image, digest, form, regshift, clients, failed } of all) {
    if (failed !== undefined)
      printLines(io, [{ text: `${image} cannot be checked: ${failed}`, color: 'red' }]);
    else printLines(io, [`${image} is stored as ${form}, ${digest}`]);
    if (regshift)
      printLines(io, ['  A regshift serves it: the verdicts are about what it sends to each client.']);
    printTable(io, clients.flatMap(verdictRows), undefined, '  ');
    printLines(io, ['']);
  }
  printLines(io, [
    all.length === 0
      ? 'The list has no pods, so there is nothing to check.'
      : summary(all, withProxy === true),
  ]);
}

function summary(all: readonly ImageVerdicts[], withProxy: boolean): string {
  const verdicts = all.flatMap(({ clients }) => clients);
  const bad = verdicts.filter(({ works }) => !works);
  const unchecked = all.filter(({ failed }) => failed !== undefined).length;
  const notRead = unchecked > 0 ? ` ${counted(unchecked, 'image')} could not be checked.` : '';
  if (verdicts.length === 0) return notRead.trim();
  if (bad.length === 0) return `${counted(verdicts.length, 'verdict')}, all good.${notRead}`;
  const helped = bad.filter(({ proxy }) => proxy?.works).length;
  const hint = all.every(({ regshift }) => regshift) ? '' : '--with-proxy tells whether regshift helps.';
  const proxy = withProxy ? `regshift helps in ${helped} of them.` : hint;
  return `${bad.length} of ${counted(verdicts.length, 'verdict')} bad. ${proxy}${notRead}`.trimEnd();
}

function verdictRows({ client, obstacle, help, proxy }: Verdict): Cell[][] {
  if (obstacle === undefined) return [[{ text: 'good', color: 'green' }, client, 'can use it']];
  const { reason, evidence, prints } = obstacle;
  const more = [
    ...evidence.map((text) => `evidence: ${text}`),
    ...(prints === undefined ? [] : [`it prints: ${prints}`]),
    ...(help === undefined ? [] : [`help: ${help}`]),
    ...(proxy ? [`with regshift: ${proxy.works ? 'good' : 'BAD'}, ${proxy.detail}`] : []),
  ];
  return [[{ text: 'BAD', color: 'red' }, client, reason], ...more.map((text) => ['', '', text])];
}
