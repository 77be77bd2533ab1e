/** What `wrangler deploy --dry-run` has bundled must stay small: `node test/support/bundle-size.ts <bundle>`. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** In KiB, compressed as Cloudflare counts. Its own limit is 3 MB on the free plan; each KiB is parsed at each start. */
const most = 400;

const [bundle = ''] = process.argv.slice(2);
const compressed = gzipSync(readFileSync(bundle)).length / 1024;
console.log(`The Worker's bundle has ${compressed.toFixed(0)} KiB compressed, of ${most} at most.`);
if (compressed > most) {
  console.error(
    `${bundle} is too large. What is in it, says its source map; a dependency may be the reason.`,
  );
  process.exitCode = 1;
}
