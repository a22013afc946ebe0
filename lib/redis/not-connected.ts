import { LoopTransportError } from '../loop-ws.errors.js';

export function notConnected(options?: ErrorOptions): LoopTransportError {
  return new LoopTransportError('unavailable', 'There is no connection to Redis.', options);
}
