import { readAccept } from '../negotiation/accept.ts';
import { requestCapabilities } from '../negotiation/capabilities.ts';
import { type ClientRule, deniedCapabilities, deniedProfile, ruleFor } from '../negotiation/client-rule.ts';
import type { ClientRequest } from './client-request.ts';

/** The request as the rules of its route let it be read. Without rules, the request itself. */
export function withRuleOf(request: ClientRequest, rules: readonly ClientRule[]): ClientRequest {
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
