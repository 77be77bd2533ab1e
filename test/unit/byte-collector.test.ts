import { describe, expect, it } from 'vitest';
import { createByteCollector } from '../../src/byte-collector.ts';

describe('bytes that arrive in pieces', () => {
  it.each([0, 1, 255, 256, 257, 70_000])('are whole after %i pieces', (count) => {
    const collector = createByteCollector();
    for (let at = 0; at < count; at += 1) collector.add(Uint8Array.of(at % 251));
    expect(collector.whole()).toEqual(Uint8Array.from({ length: count }, (_, at) => at % 251));
  });
});
