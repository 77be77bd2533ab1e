/**
 * Makes a value at its first use; a failure is not kept. Requests at the same moment may each make one, and all get the
 * first: on Workers, a request must not wait for the work of another, which may never end.
 */
export function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: { readonly value: Value } | undefined;
  return async () => {
    if (made !== undefined) return made.value;
    const value = await make();
    made ??= { value };
    return made.value;
  };
}
