import { describe, expect, it } from 'vitest';
import { authorityOf } from '../../../../src/auth/clouds/acr-registry.ts';
import { ecrRegistryOf } from '../../../../src/auth/clouds/ecr-registry.ts';
import { isGoogleRegistry } from '../../../../src/auth/clouds/google-key.ts';

describe('a private registry of Amazon ECR', () => {
  it.each([
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'eu-west-1', 'api.ecr.eu-west-1.amazonaws.com'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1', 'api.ecr.cn-north-1.amazonaws.com.cn'],
    ['123456789012.dkr.ecr-fips.us-east-1.amazonaws.com', 'us-east-1', 'ecr-fips.us-east-1.amazonaws.com'],
    ['123456789012.dkr-ecr.eu-west-1.on.aws', 'eu-west-1', 'ecr.eu-west-1.api.aws'],
    ['123456789012.dkr-ecr-fips.us-east-1.on.aws', 'us-east-1', 'ecr-fips.us-east-1.api.aws'],
    [
      '123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
      'cn-north-1',
      'ecr.cn-north-1.api.amazonwebservices.com.cn',
    ],
  ])('%s has a region and an endpoint', (host, region, endpoint) => {
    const found = ecrRegistryOf(new URL(`https://${host}`));
    expect([found?.account, found?.region, found?.endpoint.origin]).toEqual([
      '123456789012',
      region,
      `https://${endpoint}`,
    ]);
  });

  it.each([
    'http://123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com:8443',
    'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test',
    'https://evil.test.dkr.ecr.eu-west-1.amazonaws.com',
    'https://x123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    'https://123456789012.dkr.ecr.evil.test.amazonaws.com',
    'https://12345678901.dkr.ecr.eu-west-1.amazonaws.com',
    'https://public.ecr.aws',
  ])('%s is none', (url) => {
    expect(ecrRegistryOf(new URL(url))).toBeUndefined();
  });
});

it.each([
  ['https://europe-docker.pkg.dev', true],
  ['https://docker.europe-west3.rep.pkg.dev', true],
  ['https://gcr.io', true],
  ['https://eu.gcr.io', true],
  ['http://gcr.io', false],
  ['https://evilgcr.io', false],
  ['https://gcr.io.evil.test', false],
  ['https://evil-pkg.dev', false],
])('%s is a registry of Google: %s', (url, is) => {
  expect(isGoogleRegistry(new URL(url))).toBe(is);
});

it.each([
  ['https://team.azurecr.io', 'https://login.microsoftonline.com'],
  ['https://team.westeurope.azurecr.io', 'https://login.microsoftonline.com'],
  ['https://team.azurecr.cn', 'https://login.chinacloudapi.cn'],
  ['https://team.azurecr.us', 'https://login.microsoftonline.us'],
  ['http://team.azurecr.io', undefined],
  ['https://azurecr.io', undefined],
  ['https://team.azurecr.io.evil.test', undefined],
  ['https://evilazurecr.io', undefined],
])('%s has the authority %s', (url, authority) => {
  expect(authorityOf(new URL(url))?.origin).toBe(authority);
});
