import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** Connections that stay open, like those of a client that sends one request after another. */
export const keptConnections = new Agent({ keepAlive: true });

export const docker19 = { 'User-Agent': 'docker/1.9.1 go/go1.4.3 os/linux arch/amd64' };

/** @returns the milliseconds until the last byte, the headers, and the body. @throws Error for a status other than 200. */
export function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ took: number; headers: IncomingHttpHeaders; body: string }> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent: keptConnections, headers };
    const sent = request(options, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text) => {
        body += text;
      });
      answer.on('end', () => {
        if (answer.statusCode !== 200) return reject(new Error(`${path}: ${answer.statusCode} ${body}`));
        resolve({ took: performance.now() - started, headers: answer.headers, body });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
