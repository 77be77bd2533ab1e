import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { basicOf, type Cloud, challenge, cloudOf, images, numberOf } from './cloud.ts';

const registry = 'https://europe-docker.pkg.dev';
const email = 'regshift@project.iam.gserviceaccount.com';
const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
const pem = await exportPKCS8(privateKey);

export const googleKeyOf = (tokenUri: string, own = pem) =>
  JSON.stringify({
    type: 'service_account',
    project_id: 'project',
    private_key_id: 'key-1',
    private_key: own,
    client_email: email,
    token_uri: tokenUri,
  });

/** Google: a token endpoint that verifies the assertion, and a registry with its own token server. */
export function google(loginServer = 'https://oauth2.googleapis.com'): Cloud {
  const served = images();
  const tokenUri = `${loginServer}/token`;
  return cloudOf({
    registry,
    loginServer,
    life: 3600,
    settings: { REGSHIFT_UPSTREAM_AUTH: 'gcp', REGSHIFT_GOOGLE_KEY: googleKeyOf(tokenUri) },
    async giveLogin(request, url, state) {
      const form = new URLSearchParams(await request.text());
      const refuse = (error: string) =>
        Response.json({ error, error_description: 'hidden' }, { status: 400 });
      if (request.method !== 'POST' || url.pathname !== '/token') return refuse('invalid_request');
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
        return refuse('unsupported_grant_type');
      }
      const currentDate = new Date((state.now + state.ahead) * 1000);
      const rules = { issuer: email, audience: tokenUri, algorithms: ['RS256'], currentDate };
      try {
        const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, rules);
        const { exp = Number.POSITIVE_INFINITY, iat = 0, scope } = payload;
        if (protectedHeader.kid !== 'key-1' || exp - iat > 3600) return refuse('invalid_grant');
        if (Math.abs(iat - state.now - state.ahead) > 300) return refuse('invalid_grant');
        if (scope !== 'https://www.googleapis.com/auth/cloud-platform') return refuse('invalid_scope');
      } catch {
        return refuse('invalid_grant');
      }
      state.given += 1;
      return Response.json({
        access_token: `ya29.hidden-${state.given}`,
        expires_in: 3600,
        token_type: 'Bearer',
      });
    },
    serve(request, url, state) {
      if (url.pathname === '/v2/token') {
        const [username, password] = basicOf(request);
        const right = username === 'oauth2accesstoken' && numberOf(password) >= state.lowest;
        return right
          ? Response.json({ token: `registry-hidden-${numberOf(password)}`, expires_in: 300 })
          : Response.json({}, { status: 401 });
      }
      const token = /^Bearer registry-(.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
      if (numberOf(token) >= state.lowest) return served(request, url);
      return challenge(`Bearer realm="${registry}/v2/token",service="europe-docker.pkg.dev"`);
    },
  });
}
