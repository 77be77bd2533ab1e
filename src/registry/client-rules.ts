import { readAccept } from '../negotiation/accept.ts';
import { requestCapabilities, type TagLimits } from '../negotiation/capabilities.ts';
import {
  type ClientRule,
  deniedCapabilities,
  deniedProfile,
  limitedCapabilities,
  limitsWith,
  ruleFor,
} from '../negotiation/client-rule.ts';
import type { ClientRequest } from './client-request.ts';

/** The settings of a route about its clients. */
export interface ClientPolicy {
  readonly clientRules: readonly ClientRule[];
  readonly tagLimits: TagLimits;
}

/** The request as its route lets it be read. Without rules and limits, the request itself. */
export function withPolicyOf(
  request: ClientRequest,
  { clientRules, tagLimits }: ClientPolicy,
): ClientRequest {
  const ruled = withRuleOf(request, clientRules);
  const capabilities = limitedCapabilities(
    ruled.capabilities,
    limitsWith(tagLimits, ruled.applied?.rule, request.client),
  );
  return capabilities === ruled.capabilities ? ruled : { ...ruled, capabilities };
}

function withRuleOf(request: ClientRequest, rules: readonly ClientRule[]): ClientRequest {
  if (rules.length === 0) return request;
  const { headers, clientAddress, client } = request;
  const applied = ruleFor(rules, headers.get('user-agent') ?? '', clientAddress);
  const { rule } = applied;
  if (rule === undefined) return { ...request, applied };
  request.notes.rule = rule.name;
  const lacks = new Set(rule.lacks);
  const denied = {
    profile: deniedProfile(client.profile, lacks),
    digestProfile: deniedProfile(client.digestProfile, lacks),
  };
  const own = requestCapabilities(readAccept(headers.get('accept') ?? undefined), denied);
  return {
    ...request,
    applied,
    client: { ...client, ...denied },
    capabilities: deniedCapabilities(own.capabilities, lacks),
    digestCapabilities: deniedCapabilities(own.digestCapabilities, lacks),
  };
}
