import { warmUp } from '../../src/runtime/worker/warm-up.ts';

const statuses = await warmUp();

/** A Worker that warms up at its start, and says how that ended and whether its timers work. */
// biome-ignore lint/style/noDefaultExport: Workers want one
export default {
  async fetch(): Promise<Response> {
    const fired = await new Promise((resolve) => setTimeout(resolve, 1, 'fired'));
    return Response.json({ statuses, timer: fired });
  },
};
