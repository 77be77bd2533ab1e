import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stepsFor } from '../../../../src/http/page/machine-view.ts';
import { type Machine, machines } from '../../../../src/http/page/machines.ts';
import { root } from '../../../support/house/sources.ts';

const guideOf = ({ guide }: Machine) => readFileSync(join(root, 'deploy/clients', guide), 'utf8');
const lines = machines.flatMap((machine) =>
  machine.steps.flatMap((step) =>
    step.lines === undefined ? [] : [[machine.id, step.lines, machine] as const],
  ),
);

describe('the machines of the page', () => {
  test.each(lines)('%s: the guide has the lines %s', (_, text, machine) => {
    expect(guideOf(machine)).toContain(text);
  });

  test('lead to a pull over http: and over https:', () => {
    for (const machine of machines) {
      for (const address of ['http://own.test:81', 'https://own.test']) {
        const texts = stepsFor(machine, { address, image: 'a/b:2' }).map((step) => step.lines ?? '');
        const named = machine.id === 'containerd' ? 'a/b:2' : `${new URL(address).host}/a/b:2`;
        expect(texts.some((each) => each.includes(named))).toBe(true);
        expect(texts.join('\n')).not.toMatch(/proxy\.example|team\/app/);
      }
    }
  });

  test.each([
    ['http://proxy', 'proxy:80/a/b:2'],
    ['https://proxy', 'proxy:443/a/b:2'],
    ['http://proxy.test', ' proxy.test/a/b:2'],
  ])('name no user of Docker Hub for the proxy at %s', (address, name) => {
    const centos = machines.find(({ id }) => id === 'centos-7') as Machine;
    const texts = stepsFor(centos, { address, image: 'a/b:2' }).map((step) => step.lines ?? '');
    expect(texts.join('\n')).toContain(name);
  });

  test('have no line about plain HTTP for a proxy with TLS', () => {
    for (const machine of machines) {
      const texts = stepsFor(machine, { address: 'https://own.test', image: 'a' }).map(
        (step) => step.lines ?? '',
      );
      expect(texts.join('\n')).not.toMatch(/insecure|plain-http|http:/);
    }
  });
});
