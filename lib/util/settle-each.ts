/** A caller that waits for one part of a batch. */
export interface Awaiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Settles each caller with its part of the result of `work`, or all of them with its failure. Never rejects. */
export async function settleEach<T>(
  batch: readonly Awaiting<T>[],
  work: () => Promise<readonly (T | Error)[]>,
): Promise<void> {
  try {
    const outcomes = await work();
    for (const [at, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[at]!;
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
