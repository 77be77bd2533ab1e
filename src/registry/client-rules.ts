import { readAccept } from '../negotiation/accept.ts';
import { capabilitiesOf, digestCapabilitiesOf } from '../negotiation/capabilities.ts';
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
  const profile = deniedProfile(client.profile, lacks);
  const digestProfile = deniedProfile(client.digestProfile, lacks);
  const accept = readAccept(headers.get('accept') ?? undefined);
  return {
    ...request,
    applied,
    client: { ...client, profile, digestProfile },
    capabilities: deniedCapabilities(capabilitiesOf(accept, profile), lacks),
    digestCapabilities: deniedCapabilities(digestCapabilitiesOf(accept, digestProfile), lacks),
  };
}
