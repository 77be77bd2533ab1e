import * as z from 'zod/mini';
import { readPlatform } from '../../converters/platform.ts';
import { type ClientRule, deniable } from '../negotiation/client-rule.ts';
import { type IpRange, isInRanges, isWithin, parseIpRange } from '../routing/ip-range.ts';
import { readText } from './read-text.ts';

/** The values of REGSHIFT_FORMAT, and of the format of a rule. */
export const formats = ['auto', 'schema1', 'schema2', 'oci', 'generic'] as const;

const strings = (error: string, is: (text: string) => boolean) => {
  const one = z.string(error).check(z.refine(is, error));
  return z.union([one, z.array(one).check(z.minLength(1, error))], error);
};

/**
 * A range of client addresses. The address of an IPv6 client is known by its first 64 bits, which is what a subscriber
 * gets (RFC 6177).
 */
function isNetwork(text: string): boolean {
  const range = parseIpRange(text);
  return range !== undefined && (!text.includes(':') || range.prefix <= 64);
}

const agentForm = 'must be a pattern of User-Agents, like python-requests/* (* is any text)';
const userAgent = z
  .string(agentForm)
  .check(z.minLength(1, agentForm), z.maxLength(200, 'must have 200 characters at most'));

const network = strings(
  'must be a network like 10.1.0.0/16 or fd00::/64, or a list of such; of IPv6, /64 or larger',
  isNetwork,
);

const platformForm = 'must be like linux/arm/v7';
const platform = z
  .string(platformForm)
  .check(z.refine((text) => readPlatform(text) !== undefined, platformForm));

/** A rule as an operator writes it. */
export const clientRuleSchema = z.strictObject(
  {
    match: z.strictObject(
      {
        userAgent: z.optional(userAgent),
        network: z.optional(network),
      },
      'must be an object with userAgent, network or both',
    ),
    lacks: z.optional(
      z.array(
        z.enum(deniable, `must be of ${deniable.join(', ')}`),
        `must be a list of ${deniable.join(', ')}`,
      ),
    ),
    platform: z.optional(platform),
    format: z.optional(z.enum(formats, `must be one of ${formats.join(', ')}`)),
  },
  'must be a rule: an object with match, and with lacks, platform or format',
);

type RawRule = z.output<typeof clientRuleSchema>;

/** The rules of a route, in the order in which they are tried. */
export interface ClientRules {
  readonly rules: readonly ClientRule[];
  /** The rules as text, for the comparison of replicas. */
  readonly text: string;
}

export const noClientRules: ClientRules = { rules: [], text: '' };

/** The last rules that were read: routes inherit those of the top level of the file, and then share them. */
let last: { readonly setting: string; readonly rules: ClientRules } | undefined;

/** The setting as JSON: one rule, or a list of rules. */
export const clientRules = readText((setting, refuse): ClientRules => {
  if (last?.setting === setting) return last.rules;
  let refused = false;
  const rules = readRules(setting, (message) => {
    refused = true;
    return refuse(message);
  });
  if (!refused) last = { setting, rules };
  return rules;
});

function readRules(text: string, refuse: (message: string) => typeof z.NEVER): ClientRules {
  const content = jsonOf(text);
  const form =
    'must be a rule like {"match":{"userAgent":"app/*"},"lacks":["oci"]} as JSON, or a list of such';
  if (content === undefined) return refuse(form);
  const read = z.array(clientRuleSchema).safeParse(content);
  if (!read.success) {
    const [issue] = read.error.issues;
    const place = (issue?.path ?? []).map(String).join('.');
    return refuse(`${form}: ${place} ${issue?.message}`);
  }
  const rules = read.data;
  const before: Reach[] = [];
  for (const [at, rule] of rules.entries()) {
    const reach = reachOf(rule);
    const earlier = before.findIndex((each) => covers(each, reach));
    before.push(reach);
    if (earlier !== -1)
      refuse(`must have no rule that no request reaches: rule ${earlier} matches all that rule ${at} does`);
    if (!rule.lacks?.length && !rule.platform && !rule.format)
      refuse(`must have an effect in each rule: rule ${at} needs lacks, platform or format`);
  }
  return { rules: rules.map(ruleOf), text: JSON.stringify(rules) };
}

function jsonOf(text: string): unknown {
  try {
    const content: unknown = JSON.parse(text);
    return Array.isArray(content) ? content : [content];
  } catch {
    return undefined;
  }
}

function ruleOf({ match, lacks = [], platform, format }: RawRule, at: number): ClientRule {
  const pattern = match.userAgent && patternOf(match.userAgent);
  return {
    name: `clients[${at}]`,
    userAgent: pattern ? (text) => pattern(text) : undefined,
    network: match.network === undefined ? undefined : networkOf(rangesOf(match)),
    lacks,
    platform: platform === undefined ? undefined : readPlatform(platform),
    format,
  };
}

/** @returns a test of an address as `clientAddressOf` has it: of IPv6, a 64-bit network. */
function networkOf(ranges: readonly IpRange[]): (address: string) => boolean {
  return (address) => isInRanges(ranges, address.replace(/\/64$/, ''));
}

function rangesOf({ network = [] }: RawRule['match']): IpRange[] {
  return [network].flat().flatMap((each) => parseIpRange(each) ?? []);
}

/** The longest User-Agent that is tested, in characters. */
const maximumLength = 1024;

/** A test for a pattern in which `*` is any text. It takes linear time: each part is searched once. */
function patternOf(glob: string): (text: string) => boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  return (whole) => {
    const text = whole.slice(0, maximumLength);
    if (last === undefined) return text === first;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= text.length - last.length;
  };
}

/** The requests that a rule matches. Each rule is compared with all before it, so its texts are read once. */
interface Reach {
  readonly userAgent: string | undefined;
  readonly takes: ((userAgent: string) => boolean) | undefined;
  readonly ranges: readonly IpRange[] | undefined;
}

function reachOf({ match }: RawRule): Reach {
  const { userAgent, network } = match;
  return {
    userAgent,
    takes: userAgent === undefined ? undefined : patternOf(userAgent),
    ranges: network === undefined ? undefined : rangesOf(match),
  };
}

/** Whether one rule matches all requests that another one matches. A `*` of one pattern stands for one of the other. */
function covers(one: Reach, other: Reach): boolean {
  if (one.takes && !(other.userAgent !== undefined && one.takes(other.userAgent))) return false;
  const { ranges: outer } = one;
  if (outer === undefined) return true;
  return other.ranges?.every((inner) => outer.some((each) => isWithin(inner, each))) ?? false;
}
