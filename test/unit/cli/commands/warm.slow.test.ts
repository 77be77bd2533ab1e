import { expect, it } from 'vitest';
import { regshift } from '../../../support/cli.ts';
import { startProxy } from '../../../support/proxy.ts';
import { startSlowLayers } from '../../../support/slow-layers.ts';

it('regshift warm waits while layers are read, and asks again when the proxy says so', async () => {
  const registry = await startSlowLayers(5000);
  const proxy = await startProxy(registry.url, { REGSHIFT_MEASURE_DEADLINE: '1' });
  try {
    const argv = [
      'warm',
      'sample/oci-zstd',
      '--for',
      'docker-1.13',
      '--proxy',
      `http://127.0.0.1:${proxy.port}`,
    ];
    const impatient = await regshift([...argv, '--wait', '1']);
    expect(impatient).toMatchObject({
      code: 1,
      out: expect.stringContaining('Pull again in about'),
    });
    const { code, out, err } = await regshift(argv);
    expect(err).toMatch(/the proxy reads layers, next try in \d+ s/);
    expect(out).toMatch(/schema2 +sha256:/);
    expect(code).toBe(0);
  } finally {
    await proxy.stop();
    await registry.stop();
  }
});
