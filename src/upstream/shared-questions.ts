import type { Background } from '../concurrency/background.ts';
import { createSingleFlight, type Work } from '../concurrency/single-flight.ts';
import { RegistryError } from '../errors.ts';
import { usualSharedWorkMs } from './timeouts.ts';

/** A question to upstream that several requests may wait for. */
export type SharedQuestion<T> = Omit<Work<T>, 'late'>;

export interface SharedQuestions<T> {
  /** As `SingleFlight`. @throws RegistryError UPSTREAM_TIMEOUT after the longest wait. */
  join(question: SharedQuestion<T>, signal: AbortSignal | undefined): Promise<T>;
}

/** @param deadlineMs the longest wait for an answer, in milliseconds (`sharedWorkMs`). */
export function createSharedQuestions<T>(
  background: Background,
  deadlineMs = usualSharedWorkMs,
): SharedQuestions<T> {
  const flights = createSingleFlight<T>(deadlineMs, background);
  const late = () => new RegistryError('UPSTREAM_TIMEOUT', 'Upstream took too long to answer. Try again.');
  return { join: (question, signal) => flights.join({ ...question, late }, signal) };
}
