import type { ClientRequest } from '../registry/client-request.ts';
import type { Begun } from '../registry/context.ts';
import type { HeldAnswer } from '../registry/manifests/freshness.ts';
import { createBudget } from '../request/budget.ts';
import { cameFrom, heldPlace, openAccount } from '../request/stats.ts';
import { traceOf } from '../request/trace.ts';
import type { StartLine } from './access-log.ts';
import { createHeldAnswers, type Held } from './cached-responses.ts';
import type { Sent } from './env.ts';
import type { UnderWay } from './in-flight.ts';
import type { NameRequest } from './request-id.ts';

/** A request that nobody has looked into, but for the words that it asks in. */
export interface Asking {
  /** Everything of it that its answer depends on. */
  readonly question: string;
  /** What of its headers names it. */
  readonly said: Readonly<Partial<Record<'x-request-id' | 'traceparent' | 'tracestate', string | undefined>>>;
  readonly peerAddress: string | undefined;
  /** Makes what aborts when the client leaves; only where upstream is asked, for it costs as much as an answer. */
  readonly leaving?: (() => AbortSignal) | undefined;
}

/** A whole answer that is to be sent. */
export interface Again {
  readonly answer: HeldAnswer;
  /** For `X-Request-Id`. */
  readonly id: string;
  /** To be told when it has been sent. */
  readonly ended: (sent: Sent) => void;
}

/** Answers what was asked before in the same words, without a look at what it means. */
export interface Repetition {
  /** The same request; what is found out for it can be given again to the same question. */
  remembering(request: ClientRequest, question: string | undefined): ClientRequest;
  /** The answer, where it may be given without asking anyone. */
  again(asking: Asking): Again | undefined;
  /**
   * The answer, where nothing but the right to it has to be asked for; or else what is left to be answered in full, of
   * which nothing is asked twice. undefined: the question is a new one.
   */
  renew(asking: Asking): Promise<Again | Begun> | undefined;
}

export interface RepetitionOptions {
  readonly subrequests: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly underWay: UnderWay;
  /** Memory for whole answers. */
  readonly heldBytes: number;
}

export function createRepetition(
  { subrequests, clock, underWay, heldBytes }: RepetitionOptions,
  lineFor: StartLine,
  nameRequest: NameRequest,
): Repetition {
  const held = createHeldAnswers(heldBytes);

  async function renewed(found: Held, asking: Asking, leave: () => void): Promise<Again | Begun> {
    const { said, peerAddress } = asking;
    const account = openAccount(traceOf(said.traceparent, said.tracestate));
    const budget = createBudget(subrequests, account);
    const begun: Begun = { started: clock(), budget, signal: asking.leaving?.(), asked: new Map() };
    // What goes wrong is told by whoever answers in full: it is asked for there, and remembered in `asked`.
    const right = await found.right.renew(begun).catch(() => undefined);
    if (right === undefined) {
      leave();
      return begun;
    }
    found.right = right;
    cameFrom(account, heldPlace);
    const id = nameRequest(said['x-request-id'], peerAddress);
    const ended = (sent: Sent) => {
      leave();
      found.line.ended({ id, trace: account.trace, account, milliseconds: clock() - begun.started, sent });
    };
    return { answer: found.answer, id, ended };
  }

  return {
    remembering(request, question) {
      if (question === undefined) return request;
      const hold: ClientRequest['hold'] = (answer, right) =>
        held.hold(question, { answer, line: lineFor(request, 200), right });
      return { ...request, hold };
    },

    again({ question, said, peerAddress }) {
      const found = held.find(question);
      if (!found?.right.holds()) return undefined;
      const id = nameRequest(said['x-request-id'], peerAddress);
      const trace = traceOf(said.traceparent, said.tracestate);
      const ended = (sent: Sent) =>
        found.line.ended({ id, trace, account: undefined, milliseconds: 0, sent });
      return { answer: found.answer, id, ended };
    },

    renew(asking) {
      const found = held.find(asking.question);
      const visit = found && underWay.enter();
      if (!visit) return undefined;
      const leave = () => {
        visit.answers();
        visit.leave();
      };
      return renewed(found, asking, leave);
    },
  };
}
