import { LoopPushError } from '../loop-ws.errors.js';

/** An id of another type would match nobody, which would look like an account that is not connected. */
export function requireTexts(target: object): void {
  for (const [field, value] of Object.entries(target)) {
    if (typeof value === 'string' && value !== '') continue;
    throw new LoopPushError(
      `${field} is ${typeof value === 'string' ? 'empty' : `of type ${typeof value}`}; pass a non-empty string, for ` +
        'example String(id).',
    );
  }
}
