/**
 * Texts between `<name>` and `</name>` in XML of an S3 server, in order. The few elements that are read have neither
 * attributes nor elements of the same name inside (Amazon S3 API Reference). Time is linear in the length of the text.
 */
export function* xmlElements(xml: string, name: string): Generator<string> {
  const [open, close] = [`<${name}>`, `</${name}>`];
  for (let from = xml.indexOf(open); from >= 0; from = xml.indexOf(open, from)) {
    const end = xml.indexOf(close, from);
    if (end < 0) return;
    yield xml.slice(from + open.length, end);
    from = end;
  }
}

/** The text of the first element with this name, decoded; undefined if there is none. */
export function xmlText(xml: string, name: string): string | undefined {
  for (const text of xmlElements(xml, name)) return decodeEntities(text.trim());
  return undefined;
}

/** Encodes text for an element. */
export function xmlEncoded(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
