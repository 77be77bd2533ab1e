import { type Cloud, challenge, cloudOf, images, numberOf } from './cloud.ts';

const host = 'team.azurecr.io';
const registry = `https://${host}`;
const principal = { tenant: 'contoso.example', id: '11111111-2222', secret: 'hidden~client.secret' };

/** An identity token with an end, as the exchange of a registry gives it. Only its middle part is read. */
function refreshToken(number: number, exp: number): string {
  const part = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, '');
  return `${part({ alg: 'RS256' })}.${part({ exp })}.hidden-${number}`;
}

/** Azure: an authority that takes client credentials, and a registry that exchanges its tokens. */
export function azure(loginServer = 'https://login.microsoftonline.com'): Cloud {
  const served = images();
  return cloudOf({
    registry,
    loginServer,
    life: 10_800,
    settings: {
      REGSHIFT_UPSTREAM_AUTH: 'acr',
      AZURE_TENANT_ID: principal.tenant,
      AZURE_CLIENT_ID: principal.id,
      AZURE_CLIENT_SECRET: principal.secret,
    },
    async giveLogin(request, url, state) {
      const form = new URLSearchParams(await request.text());
      const refuse = (error: string) =>
        Response.json({ error, error_description: 'hidden' }, { status: 400 });
      if (request.method !== 'POST') return refuse('invalid_request');
      if (url.pathname !== `/${principal.tenant}/oauth2/v2.0/token`) return refuse('invalid_request');
      if (form.get('grant_type') !== 'client_credentials') return refuse('unsupported_grant_type');
      if (form.get('client_id') !== principal.id) return refuse('unauthorized_client');
      if (form.get('client_secret') !== principal.secret) return refuse('invalid_client');
      if (form.get('scope') !== 'https://containerregistry.azure.net/.default')
        return refuse('invalid_scope');
      state.given += 1;
      return Response.json({
        access_token: `aad-hidden-${state.given}`,
        expires_in: 3599,
        token_type: 'Bearer',
      });
    },
    async serve(request, url, state) {
      const refuse = () =>
        Response.json({ errors: [{ code: 'UNAUTHORIZED', message: 'no' }] }, { status: 401 });
      if (url.pathname === '/oauth2/exchange') {
        const form = new URLSearchParams(await request.text());
        const token = /^aad-(.+)$/.exec(form.get('access_token') ?? '')?.[1];
        const right =
          form.get('grant_type') === 'access_token' &&
          form.get('service') === host &&
          form.get('tenant') === principal.tenant;
        return right && numberOf(token) > 0
          ? Response.json({ refresh_token: refreshToken(numberOf(token), state.now + state.ahead + 10_800) })
          : refuse();
      }
      if (url.pathname === '/oauth2/token') {
        const form = new URLSearchParams(await request.text());
        const right = request.method === 'POST' && form.get('grant_type') === 'refresh_token';
        const token = form.get('refresh_token') ?? '';
        return right && form.get('service') === host && numberOf(token) >= state.lowest
          ? Response.json({ access_token: `registry-hidden-${numberOf(token)}` })
          : refuse();
      }
      const token = /^Bearer registry-(.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
      if (numberOf(token) >= state.lowest) return served(request, url);
      return challenge(`Bearer realm="${registry}/oauth2/token",service="${host}"`);
    },
  });
}
