import { LoopPushError } from '../loop-ws.errors.js';

/**
 * Throws a {@link LoopPushError} unless every field is a non-empty string. An id of another type would match nobody,
 * which would look like an account that is not connected.
 */
export function requireIds(fields: object): void {
  for (const [field, value] of Object.entries(fields)) {
    if (typeof value !== 'string') {
      throw new LoopPushError(
        `${field} is of type ${typeof value}; pass a string, for example String(id).`,
      );
    }
    if (value === '') throw new LoopPushError(`${field} is empty; pass a non-empty string.`);
  }
}
