import { converterCases } from './converter-cases.ts';

/** A Worker that converts as often as the path says, `/<number of the case>/<rounds>`, while another process reads its CPU time. */
// biome-ignore lint/style/noDefaultExport: Workers want one
export default {
  async fetch(request: Request): Promise<Response> {
    const [, number, rounds] = new URL(request.url).pathname.split('/').map(Number);
    const found = converterCases[number ?? 0];
    if (!found) return new Response('ready\n');
    for (let round = 0; round < (rounds ?? 0); round += 1) await found.run();
    return new Response('done\n');
  },
};
