import files from 'virtual:golden-files';

/** A case of `test/golden/schema1`, made by a real docker-registry 2.8.2. */
export interface GoldenCase {
  readonly name: string;
  readonly repository: string;
  readonly tag: string;
  readonly expect: 'equal' | 'refuse' | 'synthesize' | 'either';
  readonly digest?: string;
}

export function goldenBytes(path: string): Uint8Array {
  const base64 = files[path];
  if (base64 === undefined) throw new Error(`no golden file ${path}`);
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export function goldenCases(): GoldenCase[] {
  return JSON.parse(new TextDecoder().decode(goldenBytes('schema1/index.json'))) as GoldenCase[];
}

/** The cases with a given expectation; fails when there are none, so that no table is silently empty. */
export function goldenCasesThat(expect: GoldenCase['expect'], count: number): GoldenCase[] {
  const cases = goldenCases().filter((each) => each.expect === expect);
  if (cases.length !== count) throw new Error(`${cases.length} cases to ${expect}, not ${count}`);
  return cases;
}
