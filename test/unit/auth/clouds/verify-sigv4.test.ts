import { describe, expect, it } from 'vitest';
import { signatureOf, verifySigv4 } from '../../../support/clouds/verify-sigv4.ts';

/** The credentials and the date of AWS's Signature Version 4 test suite. */
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const date = '20150830T123600Z';
const common = { secretAccessKey, region: 'us-east-1', day: '20150830', date };

describe('the verifier of signatures that the tests of ECR use', () => {
  it.each([
    ['get-vanilla', 'GET', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['post-vanilla', 'POST', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  ])('agrees with the test suite of AWS: %s', (_, method, signature) => {
    const request = {
      method,
      url: new URL('https://example.amazonaws.com/'),
      headers: new Headers({ 'x-amz-date': date }),
      body: '',
    };
    const signing = { ...common, service: 'service', signedNames: ['host', 'x-amz-date'] };
    expect(signatureOf(request, signing)).toBe(signature);
    request.headers.set(
      'authorization',
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    );
    expect(verifySigv4(request, signing)).toBe('AKIDEXAMPLE');
    expect(verifySigv4({ ...request, body: 'x' }, signing)).toBeUndefined();
    expect(verifySigv4(request, { ...signing, secretAccessKey: 'other' })).toBeUndefined();
    expect(verifySigv4(request, { ...signing, region: 'eu-west-1' })).toBeUndefined();
  });

  it('agrees with the example of the IAM documentation, which signs a query and a content type', () => {
    const request = {
      method: 'GET',
      url: new URL('https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08'),
      headers: new Headers({
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'x-amz-date': date,
      }),
      body: '',
    };
    const signing = { ...common, service: 'iam', signedNames: ['content-type', 'host', 'x-amz-date'] };
    expect(signatureOf(request, signing)).toBe(
      '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
  });
});
