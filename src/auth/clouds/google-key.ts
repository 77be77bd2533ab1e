import * as z from 'zod/mini';

/** The part of a service account key that a login needs (Google Cloud, "Create and delete service account keys"). */
const schema = z.object({
  type: z.literal('service_account'),
  client_email: z.string().check(z.minLength(1)),
  private_key: z.string().check(z.startsWith('-----BEGIN PRIVATE KEY-----')),
  private_key_id: z.optional(z.string()),
  token_uri: z._default(z.url({ protocol: /^https?$/ }), 'https://oauth2.googleapis.com/token'),
});

export type GoogleKey = z.output<typeof schema>;

/** @returns undefined for text that is not the key of a service account, without a reason: it would quote the key. */
export function parseGoogleKey(text: string): GoogleKey | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Whether a host is a registry of Google: Artifact Registry, or its repositories for gcr.io. */
export function isGoogleRegistry({ protocol, hostname, port }: URL): boolean {
  return protocol === 'https:' && port === '' && /^([a-z0-9-]+\.)*(pkg\.dev|gcr\.io)$/.test(hostname);
}
