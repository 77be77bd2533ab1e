import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts';

export interface Nginx extends Daemon {
  readonly port: number;
}

/** A registry of nothing but files: `root` holds `/v2/…` as it is asked for. */
export function serveFiles(root: string): Promise<Nginx> {
  return startNginx(`
    root ${root};
    location = /v2/ { default_type application/json; return 200 "{}"; }
    location / { default_type application/octet-stream; }`);
}

/** What a user would otherwise put before a registry. */
export function proxyPass(port: number): Promise<Nginx> {
  return startNginx(`
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      # As before a registry: no layer is written to a file first.
      proxy_max_temp_file_size 0;
    }`);
}

/** @param server what is in its one server, beside the port. */
export async function startNginx(server: string): Promise<Nginx> {
  const directory = mkdtempSync(join(tmpdir(), 'regshift-nginx-'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => {
    mkdirSync(join(directory, kind));
    return `${kind}_temp_path ${join(directory, kind)};`;
  });
  const config = join(directory, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; pid ${join(directory, 'pid')}; error_log ${join(directory, 'error.log')}; worker_processes 1;
events { worker_connections 1024; }
http { access_log off; sendfile on; ${temporary.join(' ')}
  server { listen 127.0.0.1:${port}; ${server} } }
`,
  );
  const isReady = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`);
    await answer.body?.cancel();
    return answer.ok;
  };
  const daemon = await startDaemon({ program: 'nginx', args: ['-c', config], directory, isReady });
  return { ...daemon, port };
}
