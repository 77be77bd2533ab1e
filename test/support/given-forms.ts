import { mediaTypes } from '../../converters/media-types.ts';
import type { OldClient } from './old-clients.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

/** The Content-Type that a client gets, or `UNSUPPORTED` for 404 with that code. */
export type Given = string;
export const unsupported = 'UNSUPPORTED';

/** A column of the table. Docker up to 1.9 sends no Accept, so one column stands for all of it. */
type Column = 'Docker ≤ 1.9' | Exclude<OldClient, 'Docker 1.6.2' | 'Docker 1.9.1' | 'Docker 1.9.1 on arm'>;

const columns: readonly Column[] = [
  'Docker ≤ 1.9',
  'Docker 1.13.1',
  'Docker 19.03.3',
  'Docker 20.10',
  'skopeo',
  'containerd HEAD',
];

/** Makes a row. Docker 20.10 and skopeo get the same; containerd, which names no schema 1, gets it too by default. */
function image(old: Given, docker113: Given, docker1903: Given, modern: Given, containerd = modern): Given[] {
  return [old, docker113, docker1903, modern, modern, containerd];
}

/** The Content-Type that each client gets for each sample's tag; a row has the columns above, in their order. */
const rows: Readonly<Record<string, readonly Given[]>> = {
  'sample/generic': image(schema1Signed, schema2, schema2, schema2),
  'sample/generic-993': image(schema1Signed, schema2, schema2, schema2),
  'sample/generic-v1-target': image(schema1Signed, schema2, schema2, schema2),
  'sample/fat-generic': image(schema1Signed, dockerList, dockerList, dockerList),
  'sample/fat-generic-table': image(schema1Signed, dockerList, dockerList, dockerList),
  'sample/schema1': image(schema1Signed, schema1Signed, schema1Signed, schema1Signed, schema2),
  'sample/schema1-unsigned': image(schema1Signed, schema1Signed, schema1Signed, schema1Signed, schema2),
  'sample/schema2': image(schema1Signed, schema2, schema2, schema2),
  'sample/schema2-empty-layers': image(schema1Signed, schema2, schema2, schema2),
  'sample/schema2-plain-tar': image(schema1Signed, schema2, schema2, schema2),
  'sample/list': image(schema1Signed, dockerList, dockerList, dockerList),
  'sample/oci': image(schema1Signed, schema2, schema2, ociManifest),
  'sample/oci-no-history': image(schema1Signed, schema2, schema2, ociManifest),
  'sample/oci-zstd': image(schema1Signed, schema2, schema2, ociManifest),
  'sample/index': image(schema1Signed, dockerList, dockerList, ociIndex),
  'sample/index-arm': image(schema1Signed, dockerList, dockerList, ociIndex),
  'sample/index-zstd': image(schema1Signed, dockerList, dockerList, ociIndex),
  'sample/helm-chart': image(unsupported, unsupported, unsupported, ociManifest),
};

export const sampleNames = Object.keys(rows);

function columnOf(client: OldClient): Column {
  return client.startsWith('Docker 1.6') || client.startsWith('Docker 1.9')
    ? 'Docker ≤ 1.9'
    : (client as Column);
}

/** The Content-Type that a client on amd64 gets for a sample. */
export function givenForm(sample: string, client: OldClient): Given {
  const form = rows[sample]?.[columns.indexOf(columnOf(client))];
  if (form === undefined) throw new Error(`${sample} is not in the table`);
  return form;
}

/** Every cell of the table, by name. */
export const cells = sampleNames.flatMap((sample) =>
  (
    [
      'Docker 1.6.2',
      'Docker 1.9.1',
      'Docker 1.13.1',
      'Docker 19.03.3',
      'Docker 20.10',
      'skopeo',
      'containerd HEAD',
    ] as const
  ).map((client) => ({ sample, client, form: givenForm(sample, client) })),
);

/** The cells in which a client gets a manifest. */
export const givenCells = cells.filter(({ form }) => form !== unsupported);
