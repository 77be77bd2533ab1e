import { expect, it } from 'vitest';
import { createS3Client } from '../../../../src/layers/store/s3/s3-client.ts';

it.each([
  ['https://minio.test:9000', 'https://minio.test:9000/layers/a'],
  ['https://minio.test/path/', 'https://minio.test/path/layers/a'],
  ['https://minio.test//other.test', 'https://minio.test//other.test/layers/a'],
])('the endpoint %s is asked at its own host', async (endpoint, expected) => {
  const asked: string[] = [];
  const client = createS3Client({
    bucket: { bucket: 'layers', endpoint: new URL(endpoint), region: 'us-east-1' },
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
    fetch: async (url) => {
      asked.push(String(url));
      return new Response('');
    },
    userAgent: 'test',
    wallClock: () => new Date(0),
  });
  await client.sendOnce({ method: 'GET', key: 'a' });
  expect(asked).toEqual([expected]);
});
