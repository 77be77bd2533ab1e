import { afterAll, beforeAll } from 'vitest';
import { type SampleServer, startSampleServer } from './sample-server.ts';

/** Serves the samples for the tests of a file or a block. They are there from its first test on. */
export function useSampleServer(): Pick<SampleServer, 'url'> & { readonly host: string } {
  let samples: SampleServer;
  beforeAll(async () => {
    samples = await startSampleServer();
  });
  afterAll(() => samples?.stop());
  return {
    get url() {
      return samples.url;
    },
    get host() {
      return new URL(samples.url).host;
    },
  };
}
