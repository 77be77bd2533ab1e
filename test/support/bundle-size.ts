/** Checks that the bundle of `wrangler deploy --dry-run` is small: `node test/support/bundle-size.ts <bundle>`. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/**
 * The bound in KiB, compressed as Cloudflare counts. Cloudflare's limit is 3 MB on the free plan; each start parses each
 * KiB.
 */
const most = 300;

const [bundle = ''] = process.argv.slice(2);
const compressed = gzipSync(readFileSync(bundle)).length / 1024;
console.log(`The Worker's bundle has ${compressed.toFixed(0)} KiB compressed, of ${most} at most.`);
if (compressed > most) {
  console.error(
    `${bundle} is too large. What is in it, says its source map; a dependency may be the reason.`,
  );
  process.exitCode = 1;
}
