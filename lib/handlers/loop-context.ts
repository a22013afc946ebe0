import type { ExecutionContext } from '@nestjs/common';
import { handlerMetadataOf } from './handler-metadata.js';

/** Whether a guard, interceptor or pipe runs around an `@OnLoopEvent` handler. For global ones that also serve HTTP. */
export function isLoopContext(context: ExecutionContext): boolean {
  return handlerMetadataOf(context.getHandler()).some(({ kind }) => kind === 'event');
}
