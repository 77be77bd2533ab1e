import type { Form, IndexForm } from './conversion.ts';
import {
  type Conversion,
  type IndexConversion,
  imageConversions,
  indexConversions,
} from './conversion-graph.ts';
import { lossDescriptions } from './losses.ts';
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

/** The conversion graph in Markdown, from the tables in `conversion-graph.ts`. The README contains it. */
export function conversionMatrix(): string {
  return [imageMatrix(), indexMatrix(), stepTable(), lossTable(), refusalTable()].join('\n\n');
}

/** The steps that convert an image of a dialect to a form. */
function stepsOf(from: Form, to: Form | 'v1'): readonly StepName[] {
  const { sameDialectSteps, steps: otherSteps } = imageConversions[to];
  return (from === to ? sameDialectSteps : otherSteps).filter((name) => steps[name].dialects.includes(from));
}

function imageMatrix(): string {
  const targets = [...forms, 'v1'] as const;
  const rows = forms.map((from) => [
    `**${images[from]}**`,
    ...targets.map((to) => imageCell(from, to, imageConversions[to])),
  ]);
  return table(['image stored as ↓, converted to →', ...targets.map((to) => images[to])], rows);
}

function imageCell(from: Form, to: Form | 'v1', conversion: Conversion): string {
  if (from === 'schema1' && to === 'schema1')
    return 'the stored bytes; regshift signs them if they are unsigned';
  const names = stepsOf(from, to).join(', ');
  const work = from === to ? `the stored bytes${names === '' ? '' : ` (for zstd layers: ${names})`}` : names;
  return [work || 'no step', lossCell(conversion.loses[from])].filter(Boolean).join('<br>');
}

function indexMatrix(): string {
  const rows = indexForms.map((from) => [
    `**${indexes[from]}**`,
    ...indexForms.map((to) => indexCell(from, indexConversions[to])),
    'refused: INEXPRESSIBLE',
  ]);
  const heads = [
    'index stored as ↓, converted to →',
    ...indexForms.map((to) => indexes[to]),
    'schema 1, API v1',
  ];
  const note =
    'The manifests that an index names are converted first. The new index leaves out a manifest that a port reports as nonexistent (`missing`). Schema 1 and registry API v1 hold the image of one platform: select it with `chooseImage`.';
  return `${table(heads, rows)}\n\n${note}`;
}

function indexCell(from: IndexForm, { loses, nests }: IndexConversion): string {
  return [lossCell(loses[from]), nests ? '' : 'entries of inner indexes replace those indexes']
    .filter(Boolean)
    .join('<br>');
}

function lossCell(kinds: readonly LossKind[]): string {
  return kinds.length === 0 ? '' : `− ${kinds.join(', ')}`;
}

function stepTable(): string {
  const names = Object.keys(steps) as StepName[];
  return table(
    ['step', 'what the step does'],
    names.map((name) => [name, steps[name].description]),
  );
}

function lossTable(): string {
  return table(
    ['lost (−)', 'meaning'],
    Object.entries(lossDescriptions).map(([kind, meaning]) => [kind, meaning]),
  );
}

function refusalTable(): string {
  const rows = (Object.keys(images) as (Form | 'v1')[]).flatMap((form) =>
    imageConversions[form].refuses.map(({ code, image }) => [images[form], code, `an image ${image}`]),
  );
  return table(['converted to', 'code', 'refused image'], rows);
}

/** A Markdown table with padded columns, as Markdown formatters write it. */
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
