import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateAuthority } from './certificate-authority.ts';
import { type Daemon, freePort, startDaemon } from './daemon.ts';

/** An nginx in front of a registry, with a certificate for 127.0.0.1. */
export interface NginxFront {
  /** Options of `listen` beside the port; `ssl` by default. */
  readonly listen?: string;
  /** Directives of the server. */
  readonly server?: string;
  /** Directives before `proxy_pass`. */
  readonly location?: string;
}

export interface RunningFronts<Name extends string> {
  /** Host and port of each front. */
  readonly hosts: Readonly<Record<Name, string>>;
  stop(): Promise<void>;
}

/** Runs one nginx with a server for each front. */
export async function startNginxFronts<Name extends string>(
  registryUrl: string,
  authority: CertificateAuthority,
  fronts: Readonly<Record<Name, NginxFront>>,
): Promise<RunningFronts<Name>> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-nginx-front-'));
  const { files } = authority.issue('nginx', 'IP:127.0.0.1');
  const hosts: Record<string, string> = {};
  const servers: string[] = [];
  for (const [name, { listen = 'ssl', server = '', location = '' }] of Object.entries<NginxFront>(fronts)) {
    const host = `127.0.0.1:${await freePort()}`;
    hosts[name] = host;
    const tls = listen.includes('ssl')
      ? `ssl_certificate ${files.cert}; ssl_certificate_key ${files.key};`
      : '';
    const pass = `proxy_pass ${registryUrl}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;`;
    servers.push(`server { listen ${host} ${listen}; ${tls} ${server} location / { ${location} ${pass} } }`);
  }
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory};`,
  );
  const config = `daemon off; pid ${directory}/pid; error_log ${directory}/log; events {}
http { access_log off; ${paths.join(' ')}
${servers.join('\n')} }
`;
  const file = join(directory, 'nginx.conf');
  await writeFile(file, config);
  const last = Number(Object.values(hosts).at(-1)?.split(':')[1]);
  const isReady = () =>
    new Promise<boolean>((resolve, reject) => {
      const socket = connect(last, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
      socket.once('error', reject);
    });
  const daemon: Daemon = await startDaemon({ program: 'nginx', args: ['-c', file], directory, isReady });
  return { hosts: hosts as Record<Name, string>, stop: daemon.stop };
}
