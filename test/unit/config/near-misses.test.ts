import { describe, expect, it } from 'vitest';
import { formatNearMiss, nearMisses, productionNearMiss } from '../../../src/config/near-misses.ts';
import { formatProblems } from '../../../src/config/problem.ts';
import { readSettings } from '../../../src/config/settings.ts';

const sentences = (variables: Record<string, string>) => nearMisses(variables).map(formatNearMiss);

describe('a variable without the prefix of its setting', () => {
  it.each([
    ['UPSTREAM', 'registry.example', 'REGSHIFT_UPSTREAM'],
    ['REGISTRY', 'https://registry.example', 'REGSHIFT_UPSTREAM'],
    ['REGISTRY_URL', 'https://registry.example', 'REGSHIFT_UPSTREAM'],
    ['LOGLEVEL', 'debug', 'LOG_LEVEL'],
    ['LOGFORMAT', 'json', 'LOG_FORMAT'],
    ['TAG_TTL', '30', 'REGSHIFT_TAG_TTL'],
    ['FORMAT', 'schema1', 'REGSHIFT_FORMAT'],
    ['regshift_upstream', 'https://registry.example', 'REGSHIFT_UPSTREAM'],
  ])('%s=%s is named with %s', (variable, value, setting) => {
    const sentence = `${variable} is not a setting of regshift: did you mean ${setting}?`;
    expect(sentences({ [variable]: value })).toEqual([sentence]);
    expect(sentences({ [variable]: value, [setting]: value })).toEqual([]);
    expect(sentences({ [variable]: ' ' })).toEqual([]);
  });

  it.each([
    ['FORMAT', '{{.ID}}'],
    ['CONFIG', '/etc/other.conf'],
    ['METRICS_PORT', 'tcp://10.0.0.1:9090'],
    ['UPSTREAM', 'tcp://10.0.0.1:80'],
    ['PATH', '/bin'],
    ['https_proxy', 'http://proxy.example'],
    ['PORT', '80'],
    ['REGSHIFT_UPSTREAM_PASSWORD_FILE', '/run/secrets/password'],
  ])('%s=%s is none, because it is of another program or right', (variable, value) => {
    expect(sentences({ [variable]: value })).toEqual([]);
  });
});

describe('a value of NODE_ENV', () => {
  it.each(['prod', 'Production', 'production ', 'producton', 'PROD'])(
    '%j is named with production',
    (mode) => {
      expect(productionNearMiss({ NODE_ENV: mode })).toEqual([
        `NODE_ENV is ${JSON.stringify(mode)}: did you mean production? Only with NODE_ENV=production does regshift refuse to start without REGSHIFT_UPSTREAM`,
      ]);
    },
  );

  it.each(['production', 'development', 'test', '', undefined])('%j is none', (mode) => {
    expect(productionNearMiss({ NODE_ENV: mode })).toEqual([]);
  });
});

describe('a misspelt variable with the prefix is refused', () => {
  const links =
    'is not a setting: Kubernetes sets it for a Service with the name regshift; set enableServiceLinks: false in the pod';
  it.each([
    ['REGSHIFT_FROMAT', 'is not a setting: did you mean REGSHIFT_FORMAT?'],
    ['REGSHIFT_PORT', 'is not a setting: did you mean PORT?'],
    ['REGSHIFT_LOG_LEVEL', 'is not a setting: did you mean LOG_LEVEL?'],
    ['REGSHIFT_COMPLETELY_DIFFERENT', 'is not a setting: docs/settings.md lists all'],
    ['REGSHIFT_SERVICE_HOST', links],
    ['REGSHIFT_PORT_8080_TCP_ADDR', links],
  ])('%s %s', (variable, message) => {
    const read = readSettings({ [variable]: 'hunter2' });
    expect('problems' in read && formatProblems(read.problems)).toBe(`${variable} ${message}`);
  });

  it('in no time, if its name has 100,000 letters', () => {
    const started = performance.now();
    const read = readSettings({ [`REGSHIFT_${'X'.repeat(100_000)}`]: '1' });
    expect('problems' in read && read.problems[0]?.message).toContain('docs/settings.md lists all');
    expect(performance.now() - started).toBeLessThan(500);
  });
});
