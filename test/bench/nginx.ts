import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts';

export interface Nginx extends Daemon {
  readonly port: number;
}

/** Serves the files below `root` as a registry: the path of a request is the path of a file. */
export function serveFiles(root: string): Promise<Nginx> {
  return startNginx(`
    root ${root};
    location = /v2/ { default_type application/json; return 200 "{}"; }
    location / { default_type application/octet-stream; }`);
}

/** Runs nginx as a reverse proxy, the usual alternative in front of a registry. */
export function proxyPass(port: number): Promise<Nginx> {
  return startNginx(`
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      # As before a registry: no layer is written to a file first.
      proxy_max_temp_file_size 0;
      proxy_request_buffering off;
      client_max_body_size 0;
    }`);
}

/** @param server the directives of its one `server` block, without the port. */
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
