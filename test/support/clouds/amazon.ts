import { basicOf, type Cloud, challenge, cloudOf, images, numberOf } from './cloud.ts';
import { verifySigv4 } from './verify-sigv4.ts';

const account = '123456789012';
const registry = `https://${account}.dkr.ecr.eu-west-1.amazonaws.com`;
export const awsKey = { id: 'AKIDEXAMPLE', secret: 'hidden/secret+access/key' };

/** Amazon ECR: an API that verifies the signature of each request, and a registry with Basic. */
export function amazon(loginServer = 'https://api.ecr.eu-west-1.amazonaws.com', session?: string): Cloud {
  const served = images();
  return cloudOf({
    registry,
    loginServer,
    life: 43_200,
    settings: {
      REGSHIFT_UPSTREAM_AUTH: 'ecr',
      AWS_ACCESS_KEY_ID: awsKey.id,
      AWS_SECRET_ACCESS_KEY: awsKey.secret,
      ...(session === undefined ? {} : { AWS_SESSION_TOKEN: session }),
    },
    async giveLogin(request, url, state) {
      const { method, headers } = request;
      const body = await request.text();
      const refuse = (type: string) => Response.json({ __type: type, message: 'hidden' }, { status: 400 });
      if (method !== 'POST' || url.pathname !== '/') return refuse('UnknownOperationException');
      const target = headers.get('x-amz-target');
      if (target !== 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken') {
        return refuse('UnknownOperationException');
      }
      if (headers.get('content-type') !== 'application/x-amz-json-1.1')
        return refuse('SerializationException');
      const signing = { secretAccessKey: awsKey.secret, region: 'eu-west-1', service: 'ecr' };
      const keyId = verifySigv4({ method, url, headers, body }, signing);
      const at = Date.parse(
        (headers.get('x-amz-date') ?? '').replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'),
      );
      if (keyId === undefined) return refuse('InvalidSignatureException');
      if (keyId !== awsKey.id) return refuse('UnrecognizedClientException');
      if (!(Math.abs(at / 1000 - state.now - state.ahead) < 300)) return refuse('InvalidSignatureException');
      if ((headers.get('x-amz-security-token') ?? undefined) !== session)
        return refuse('ExpiredTokenException');
      if (JSON.stringify(JSON.parse(body)) !== `{"registryIds":["${account}"]}`)
        return refuse('InvalidParameterException');
      state.given += 1;
      const authorizationToken = btoa(`AWS:hidden-${state.given}`);
      // The JSON protocol of AWS writes time as seconds with a fraction.
      const expiresAt = state.now + state.ahead + 43_200 + 0.5;
      return Response.json({
        authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint: registry }],
      });
    },
    serve(request, url, state) {
      const [username, password] = basicOf(request);
      const right = username === 'AWS' && numberOf(password) >= state.lowest;
      return right
        ? served(request, url)
        : challenge(`Basic realm="${registry}/",service="ecr.amazonaws.com"`);
    },
  });
}
