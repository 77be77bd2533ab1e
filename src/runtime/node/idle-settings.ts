import { registrySettings } from '../../compose/registry-settings.ts';
import type { Settings, Values } from '../../config/settings.ts';
import { usualStoreBytes } from '../../config/store.ts';

/** A setting that another one can make idle, and the sentence about it. */
interface IdleSetting {
  readonly isSet: (route: Values) => boolean;
  readonly hasEffect: (route: Values) => boolean;
  readonly warning: string;
}

const isPushable = (route: Values) => registrySettings(route).takesPushes;
const pushWarning = (setting: string) => `${setting} has no effect: REGSHIFT_PUSH lets no push through.`;

const idleSettings: readonly IdleSetting[] = [
  {
    isSet: ({ REGSHIFT_STORE_BLOBS: kept }) => kept === 'all',
    hasEffect: ({ REGSHIFT_STORE: store }) => store !== undefined,
    warning: 'REGSHIFT_STORE_BLOBS=all has no effect: REGSHIFT_STORE names no store.',
  },
  {
    isSet: ({ REGSHIFT_STORE_BYTES: bytes }) => bytes !== usualStoreBytes,
    hasEffect: ({ REGSHIFT_STORE: store }) => store?.kind === 'file',
    warning:
      'REGSHIFT_STORE_BYTES has no effect: REGSHIFT_STORE names no folder. Rules of a bucket limit its bytes.',
  },
  {
    isSet: ({ REGSHIFT_MIRROR_MISS: miss }) => miss === 'next',
    hasEffect: ({ REGSHIFT_UPSTREAM: registries = [] }) => registries.length > 1,
    warning:
      'REGSHIFT_MIRROR_MISS=next has no effect: REGSHIFT_UPSTREAM names one registry, and no second one.',
  },
  {
    isSet: ({ REGSHIFT_TOKEN_RELAY: relay }) => relay === 'never',
    hasEffect: ({ REGSHIFT_UPSTREAM_AUTH: mode }) => mode === 'passthrough',
    warning:
      'REGSHIFT_TOKEN_RELAY=never has no effect: clients get tokens with REGSHIFT_UPSTREAM_AUTH=passthrough alone.',
  },
  {
    isSet: ({ REGSHIFT_PUSH_FORMAT: form }) => form !== 'auto',
    hasEffect: isPushable,
    warning: pushWarning('REGSHIFT_PUSH_FORMAT'),
  },
  {
    isSet: ({ REGSHIFT_PUSH_LOSSES: losses }) => losses === 'refuse',
    hasEffect: isPushable,
    warning: pushWarning('REGSHIFT_PUSH_LOSSES'),
  },
];

/** Sentences about settings of the operator that do nothing on any route that has them. */
export function idleWarnings({ routes }: Settings): string[] {
  return idleSettings.flatMap(({ isSet, hasEffect, warning }) => {
    const having = routes.map(({ settings }) => settings).filter(isSet);
    return having.length > 0 && !having.some(hasEffect) ? [warning] : [];
  });
}
