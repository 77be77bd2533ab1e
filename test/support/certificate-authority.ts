import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCertificate } from './certificate.ts';

export interface CertificateAuthority {
  /** The certificate of the authority in PEM, and its file. */
  readonly cert: string;
  readonly file: string;
  /**
   * Issues a certificate.
   * @param host like `IP:127.0.0.1` or `DNS:registry.example`.
   * @param extensions other lines of openssl's extensions.
   */
  issue(
    name: string,
    host: string,
    ...extensions: string[]
  ): TestCertificate & { readonly files: { cert: string; key: string } };
  /** Issues a certificate that has expired. */
  issueExpired(name: string, host: string): TestCertificate;
  /** Makes an authority below this one. */
  issueAuthority(name: string): CertificateAuthority;
}

const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';

/** Makes an authority by openssl. Its files are in `folder`. */
export function makeAuthority(folder: string, authority: string): CertificateAuthority {
  openssl(
    folder,
    `req -x509 ${newKey} -keyout ${authority}.key -out ${authority}.pem -days 2 -subj /CN=${authority}`,
  );
  return authorityOf(folder, authority);
}

function authorityOf(folder: string, authority: string): CertificateAuthority {
  const path = (name: string) => join(folder, name);
  const issue = (name: string, extension: string, days = 2) => {
    writeFileSync(path(`${name}.ext`), `${extension}\n`);
    openssl(folder, `req -new ${newKey} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
    const signer = `-CA ${authority}.pem -CAkey ${authority}.key -CAcreateserial`;
    openssl(
      folder,
      `x509 -req -in ${name}.csr ${signer} -out ${name}.pem -days ${days} -extfile ${name}.ext`,
    );
  };
  return {
    cert: readFileSync(path(`${authority}.pem`), 'utf8'),
    file: path(`${authority}.pem`),
    issue(name, host, ...extensions) {
      issue(name, [`subjectAltName=${host}`, ...extensions].join('\n'));
      const files = { cert: path(`${name}.pem`), key: path(`${name}.key`) };
      return { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8'), files };
    },
    issueExpired(name, host) {
      issue(name, `subjectAltName=${host}`, -1);
      return {
        cert: readFileSync(path(`${name}.pem`), 'utf8'),
        key: readFileSync(path(`${name}.key`), 'utf8'),
      };
    },
    issueAuthority(name) {
      issue(name, 'basicConstraints=critical,CA:TRUE');
      return authorityOf(folder, name);
    },
  };
}

function openssl(folder: string, args: string): void {
  execFileSync('openssl', args.split(' '), { cwd: folder, stdio: 'pipe' });
}
