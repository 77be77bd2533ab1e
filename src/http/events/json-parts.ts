const codes = {
  quote: 0x22,
  comma: 0x2c,
  openBracket: 0x5b,
  backslash: 0x5c,
  openBrace: 0x7b,
} as const;

/** Counts the parts of a JSON document whose bytes come one after the other. */
export interface JsonPartCounter {
  /**
   * Reads on.
   * @returns commas and opening brackets outside of strings so far: at least the values of the document without the
   *   first one, and at most twice as many.
   */
  add(bytes: Uint8Array): number;
}

/**
 * Creates a counter that makes nothing of the document: `JSON.parse` takes 21 times the memory of `[{},{},…]`. The
 * bytes of these characters are part of no other one in UTF-8 (RFC 3629, section 3).
 */
export function createJsonPartCounter(): JsonPartCounter {
  let parts = 0;
  let isInString = false;
  let isEscaped = false;
  return {
    add(bytes) {
      // An iterator takes three times as long.
      for (let at = 0; at < bytes.length; at += 1) {
        const byte = bytes[at];
        if (isInString) {
          if (isEscaped) isEscaped = false;
          else if (byte === codes.backslash) isEscaped = true;
          else isInString = byte !== codes.quote;
        } else if (byte === codes.quote) isInString = true;
        else if (byte === codes.comma || byte === codes.openBracket || byte === codes.openBrace) parts += 1;
      }
      return parts;
    },
  };
}
