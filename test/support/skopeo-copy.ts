import { runProgram } from './programs.ts';

/**
 * Copies an image by `skopeo copy`, to and from registries without TLS.
 * @param home see `runProgram`.
 * @param from a reference with its transport, like `docker://127.0.0.1:5000/name:tag`.
 * @throws Error with what skopeo printed when it fails.
 */
export async function skopeoCopy(
  home: string,
  from: string,
  to: string,
  ...options: readonly string[]
): Promise<void> {
  const noTls = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  await runProgram('skopeo', ['--insecure-policy', 'copy', ...noTls, ...options, from, to], home);
}
