/** A text that the program can reach. */
export interface Reachable {
  readonly text: string;
  /** The names from a root of the heap to the text, for the person who must find the reference. */
  readonly path: string;
}

/** A heap snapshot of V8 (src/profiler/heap-snapshot-generator.cc, `HeapSnapshotJSONSerializer`). */
interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
}

/**
 * Searches a heap snapshot for texts. V8 cuts strings after 1,024 characters (`--heap-snapshot-string-limit`), and has
 * the two halves of a concatenated string as two strings. A snapshot has no content of buffers.
 */
export function findTexts(snapshot: string, texts: readonly string[]): Reachable[] {
  const present = texts.filter((text) => snapshot.includes(text));
  if (present.length === 0) return [];
  const heap = JSON.parse(snapshot) as Snapshot;
  const pathOf = createPaths(heap);
  return present.flatMap((text) => {
    const names = new Set(heap.strings.flatMap((string, index) => (string.includes(text) ? [index] : [])));
    const path = pathOf(names)?.replaceAll(text, '…');
    // A string that only weak references lead to can be collected at any time.
    return path === undefined ? [] : [{ text, path }];
  });
}

/** The shortest paths of strong references, by a breadth-first search from the root. */
function createPaths({ snapshot, nodes, edges, strings }: Snapshot) {
  const { node_fields: nodeFields, edge_fields: edgeFields, edge_types: edgeTypes } = snapshot.meta;
  const nodeSize = nodeFields.length;
  const edgeSize = edgeFields.length;
  const [nameAt, countAt] = [nodeFields.indexOf('name'), nodeFields.indexOf('edge_count')];
  const [typeAt, labelAt, toAt] = ['type', 'name_or_index', 'to_node'].map((name) =>
    edgeFields.indexOf(name),
  ) as [number, number, number];
  const types = edgeTypes[0];
  const at = (numbers: readonly number[], index: number) => numbers[index] ?? 0;

  const firstEdges = new Map<number, number>();
  let next = 0;
  for (let node = 0; node < nodes.length; node += nodeSize) {
    firstEdges.set(node, next);
    next += at(nodes, node + countAt) * edgeSize;
  }
  /** The edge by which the search reached each node first, and the node that the edge comes from. */
  const reached = new Map<number, { readonly from: number; readonly edge: number } | undefined>([
    [0, undefined],
  ]);
  for (const node of reached.keys()) {
    const first = firstEdges.get(node) ?? 0;
    const end = first + at(nodes, node + countAt) * edgeSize;
    for (let edge = first; edge < end; edge += edgeSize) {
      const to = at(edges, edge + toAt);
      if (types[at(edges, edge + typeAt)] === 'weak' || reached.has(to)) continue;
      reached.set(to, { from: node, edge });
    }
  }

  function labelOf(edge: number): string {
    const label = at(edges, edge + labelAt);
    const isNumber = ['element', 'hidden'].includes(types[at(edges, edge + typeAt)] ?? '');
    return isNumber ? `[${label}]` : `.${strings[label]}`;
  }

  function describe(node: number): string {
    const name = (strings[at(nodes, node + nameAt)] ?? '').slice(0, 200);
    const step = reached.get(node);
    return step ? `${describe(step.from)}\n  ${labelOf(step.edge)} ${name}` : name;
  }

  return (names: ReadonlySet<number>): string | undefined => {
    for (const node of reached.keys()) {
      if (names.has(at(nodes, node + nameAt))) return describe(node);
      const edge = reached.get(node)?.edge;
      if (edge === undefined) continue;
      const isNamed = !['element', 'hidden'].includes(types[at(edges, edge + typeAt)] ?? '');
      if (isNamed && names.has(at(edges, edge + labelAt))) return describe(node);
    }
    return undefined;
  };
}
