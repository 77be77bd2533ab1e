import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a certificate by openssl.
 * @param days a negative number makes an expired one. @param host like `IP:127.0.0.1` or `DNS:registry.example`; "" for
 *   a certificate with a common name alone.
 * @param keyKind the value of openssl's `-newkey`.
 */
export function makeCertificate(
  folder: string,
  name: string,
  days = 90,
  host = 'IP:127.0.0.1',
  keyKind = 'rsa:2048',
): TestCertificate {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
  const until = new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
  const since = new Date(Date.now() - 10 * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
  const request = join(folder, `${name}.csr`);
  const database = join(folder, `${name}.db`);
  const settings = join(folder, `${name}.cnf`);
  const lines = [
    '[ca]',
    'default_ca=own',
    '[own]',
    `database=${database}`,
    `new_certs_dir=${folder}`,
    `default_md=${keyKind === 'ed25519' ? 'default' : 'sha256'}`,
    'policy=any',
    'rand_serial=yes',
    '[any]',
    'commonName=supplied',
    '[ext]',
    host === '' ? 'basicConstraints=CA:FALSE' : `subjectAltName=${host}`,
  ];
  execFileSync('sh', [
    '-c',
    `: > "$1"; printf '%s\\n' "$2" > "$3"`,
    'sh',
    database,
    lines.join('\n'),
    settings,
  ]);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  openssl(
    'req',
    '-new',
    '-newkey',
    keyKind,
    '-nodes',
    '-keyout',
    files.key,
    '-out',
    request,
    '-subj',
    `/CN=${name}`,
  );
  const own = ['-selfsign', '-keyfile', files.key, '-extensions', 'ext', '-batch', '-notext'];
  openssl(
    'ca',
    '-config',
    settings,
    ...own,
    '-startdate',
    since,
    '-enddate',
    until,
    '-in',
    request,
    '-out',
    files.cert,
  );
  return { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') };
}
