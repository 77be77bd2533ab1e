/** The authorities of Azure's clouds, by the end of a registry's host (azure-sdk-for-go, sdk/azcore/cloud/cloud.go). */
const authorities: Readonly<Record<string, string>> = {
  io: 'https://login.microsoftonline.com',
  cn: 'https://login.chinacloudapi.cn',
  us: 'https://login.microsoftonline.us',
};

/** The authority of a registry of Azure; undefined for any other host. */
export function authorityOf({ protocol, hostname, port }: URL): URL | undefined {
  const [, end = ''] = /^[a-z0-9-]+(?:\.[a-z0-9-]+)?\.azurecr\.(io|cn|us)$/.exec(hostname) ?? [];
  const authority = authorities[end];
  return authority === undefined || protocol !== 'https:' || port !== '' ? undefined : new URL(authority);
}
