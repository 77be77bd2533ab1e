import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listen } from './listen.ts';
import { programEnvironment } from './programs.ts';

const execute = promisify(execFile);

/**
 * Runs a script in a page of a real browser (Chromium), whose origin is `http://127.0.0.1` with a free port.
 * @param script the body of an async function that returns text.
 * @returns the text, or "failed: …" with the error of the script.
 */
export async function runInPage(script: string): Promise<string> {
  const html = `<!doctype html><title>test</title><pre></pre><script>
    (async () => { ${script} })()
      .then((text) => text, (error) => 'failed: ' + error)
      .then((text) => { document.querySelector('pre').textContent = '<<' + text + '>>'; });
  </script>`;
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(html));
  const page = await listen(server);
  const home = await mkdtemp(join(tmpdir(), 'regshift-browser-'));
  try {
    // The tests run as root in containers, where Chromium's sandbox cannot start.
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    const own = [`--user-data-dir=${home}`, '--virtual-time-budget=10000', '--dump-dom'];
    const { stdout } = await execute('chromium', [...flags, ...own, page.url], {
      env: programEnvironment(home),
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    return /&lt;&lt;([\s\S]*)&gt;&gt;/.exec(stdout)?.[1] ?? stdout;
  } finally {
    await page.stop();
    await rm(home, { recursive: true, force: true });
  }
}
