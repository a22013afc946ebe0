import type { ExecutionContext } from '@nestjs/common';
import { handlerMetadataOf } from './handler-metadata.js';

/** Whether a guard, interceptor or pipe runs around an `@OnLoopEvent` handler: for global ones that do more than HTTP. */
export function isLoopContext(context: ExecutionContext): boolean {
  return handlerMetadataOf(context.getHandler()).some(({ kind }) => kind === 'event');
}
