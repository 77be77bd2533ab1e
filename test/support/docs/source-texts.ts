/** A file of the program, with its text literals taken out. */
export interface SourceTexts {
  /** The code without comments. Each literal is `‹number›`, its place in `literals`. */
  readonly code: string;
  /** The texts. `…` stands for the expressions in a template, and texts that `+` joins are one text. */
  readonly literals: readonly string[];
}

/** A comment, a text, the beginning of a template, or a regular expression behind a character that no value ends with. */
const tokens =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`|(?<=[(,=:[!&|?{};>\n]\s*)\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/gy;

/** Takes the texts of a source apart. It reads the sources of this program, and no JSX. */
export function readTexts(source: string): SourceTexts {
  const literals: string[] = [];
  const take = (text: string) => `‹${literals.push(text) - 1}›`;
  const { code } = scan(source, 0, take);
  const joined = /‹(\d+)›(?:\s*\+\s*‹\d+›)+/g;
  return {
    code: code.replace(joined, (parts) =>
      take([...parts.matchAll(/‹(\d+)›/g)].map(([, at]) => literals[Number(at)]).join('')),
    ),
    literals,
  };
}

/** Reads code up to its end, or up to the brace that ends an expression of a template. */
function scan(source: string, start: number, take: (text: string) => string) {
  let code = '';
  let at = start;
  let depth = 0;
  while (at < source.length) {
    tokens.lastIndex = at;
    const [token] = tokens.exec(source) ?? [];
    if (token === '`') {
      const template = scanTemplate(source, at + 1, take);
      code += take(template.text);
      at = template.end;
    } else if (token !== undefined) {
      code += /^['"]/.test(token) ? take(unescaped(token.slice(1, -1))) : ' ';
      at += token.length;
    } else {
      const next = source.charAt(at);
      if (next === '}' && depth === 0 && start > 0) break;
      depth += next === '{' ? 1 : next === '}' ? -1 : 0;
      code += next;
      at += 1;
    }
  }
  return { code, end: at };
}

/** Reads a template up to its end. */
function scanTemplate(source: string, start: number, take: (text: string) => string) {
  let text = '';
  let at = start;
  while (at < source.length && source.charAt(at) !== '`') {
    if (source.startsWith('${', at)) {
      at = scan(source, at + 2, take).end + 1;
      text += '…';
    } else {
      const length = source.charAt(at) === '\\' ? 2 : 1;
      text += unescaped(source.slice(at, at + length));
      at += length;
    }
  }
  return { text, end: at + 1 };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, next: string) => escapes[next] ?? next);
}
