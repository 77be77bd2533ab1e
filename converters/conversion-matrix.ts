import type { Form, IndexForm } from './conversion.ts';
import {
  type Conversion,
  type IndexConversion,
  imageConversions,
  indexConversions,
} from './conversion-graph.ts';
import { lossKinds } from './losses.ts';
import type { LossKind } from './model.ts';
import { type StepName, steps } from './steps/steps.ts';

const images: Readonly<Record<Form | 'v1', string>> = {
  schema1: 'schema 1',
  schema2: 'schema 2',
  oci: 'OCI manifest',
  generic: 'generic',
  v1: 'registry API v1',
};

const indexes: Readonly<Record<IndexForm, string>> = {
  schema2: 'manifest list',
  oci: 'OCI index',
  generic: 'fat generic',
};

const forms: readonly Form[] = ['generic', 'schema1', 'schema2', 'oci'];
const indexForms: readonly IndexForm[] = ['generic', 'schema2', 'oci'];

/** The conversion graph in Markdown, out of the tables in `convert.ts`: a test holds the README to it. */
export function conversionMatrix(): string {
  return [imageMatrix(), indexMatrix(), stepTable(), lossTable(), refusalTable()].join('\n\n');
}

/** What is done to an image of a dialect on its way into a form. */
export function stepsOf(from: Form, to: Form | 'v1'): readonly StepName[] {
  const { own, steps: names } = imageConversions[to];
  return (from === to ? own : names).filter((name) => steps[name].of.includes(from));
}

function imageMatrix(): string {
  const targets = [...forms, 'v1'] as const;
  const rows = forms.map((from) => [
    `**${images[from]}**`,
    ...targets.map((to) => imageCell(from, to, imageConversions[to])),
  ]);
  return table(['image stored as ↓, given as →', ...targets.map((to) => images[to])], rows);
}

function imageCell(from: Form, to: Form | 'v1', way: Conversion): string {
  if (from === 'schema1' && to === 'schema1') return 'the bytes stored; signed where they are not';
  const names = stepsOf(from, to).join(', ');
  const kept =
    from === to ? `the bytes stored${names === '' ? '' : ` (${names} where zstd is in the way)`}` : names;
  return [kept || 'nothing to be done', lossCell(way.loses[from])].filter(Boolean).join('<br>');
}

function indexMatrix(): string {
  const rows = indexForms.map((from) => [
    `**${indexes[from]}**`,
    ...indexForms.map((to) => indexCell(from, indexConversions[to])),
    'refused: INEXPRESSIBLE',
  ]);
  const heads = ['index stored as ↓, given as →', ...indexForms.map((to) => indexes[to]), 'schema 1, API v1'];
  const note =
    'Children are converted first; those that a port says do not exist are left out (`missing`). Schema 1 and registry API v1 hold the image of one platform: choose it with `chooseImage`.';
  return `${table(heads, rows)}\n\n${note}`;
}

function indexCell(from: IndexForm, { loses, nests }: IndexConversion): string {
  return [lossCell(loses[from]), nests ? '' : 'indexes inside it are opened'].filter(Boolean).join('<br>');
}

function lossCell(kinds: readonly LossKind[]): string {
  return kinds.length === 0 ? '' : `− ${kinds.join(', ')}`;
}

function stepTable(): string {
  const names = Object.keys(steps) as StepName[];
  return table(
    ['step', 'what is done'],
    names.map((name) => [name, steps[name].does]),
  );
}

function lossTable(): string {
  return table(
    ['lost (−)', 'what that is'],
    Object.entries(lossKinds).map(([kind, meaning]) => [kind, meaning]),
  );
}

function refusalTable(): string {
  const rows = (Object.keys(images) as (Form | 'v1')[]).flatMap((form) =>
    imageConversions[form].refuses.map(({ code, image }) => [images[form], code, `an image ${image}`]),
  );
  return table(['given as', 'code', 'refused is'], rows);
}

/** Columns are padded, as formatters of Markdown leave them. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(3, head.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], filler = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |`;
  return [
    line(heads),
    line(
      heads.map(() => ''),
      '-',
    ),
    ...rows.map((cells) => line(cells)),
  ].join('\n');
}
