import { artifactory } from './artifactory.ts';
import { dockerHub } from './docker-hub.ts';
import { ecr } from './ecr.ts';
import { ecrPublic } from './ecr-public.ts';
import { ghcr } from './ghcr.ts';
import type { Habit } from './habit.ts';
import { withoutDigests, withoutHead } from './plain.ts';
import { quay } from './quay.ts';

export const hubLogin = { username: 'alice', password: 'dckr_pat_of-a-test' };

/** One registry of each kind. */
export const habits: readonly Habit[] = [
  dockerHub(),
  dockerHub({ login: hubLogin }),
  ghcr,
  ecr,
  ecrPublic,
  quay,
  artifactory,
  withoutDigests,
  withoutHead,
];
