import type { LoopConnection } from '../connections/loop-connection.js';
import { type FoundHandler, prototypeOf } from './found-handler.js';

/** Arguments of a handler, in the order of a Nest `ws` context: client, data, pattern. */
export type HandlerArgs = readonly [connection: LoopConnection, payload: unknown, event: string];

/** Nest's own numbers, by which pipes know the parameter types. */
const ParamType = { Connection: 0, Payload: 3 } as const;

/** The metadata key of `@MessageBody()` and `@ConnectedSocket()`. */
export const PARAM_ARGS_METADATA = '__routeArguments__';

/** Nest asks it for the value of a marked parameter. */
export const PARAMS_FACTORY = {
  exchangeKeyForValue(type: number, property: string | undefined, args: HandlerArgs): unknown {
    if (type === ParamType.Connection) return args[0];
    if (type !== ParamType.Payload) return undefined;
    return property ? (args[1] as Record<string, unknown> | undefined)?.[property] : args[1];
  },
};

/** Pipes run only on marked parameters, so a method without marks gets the documented ones: payload, connection. */
export function markParameters({ wrapper, methodName }: FoundHandler): void {
  const constructor = prototypeOf(wrapper)?.constructor;
  if (
    constructor === undefined ||
    Reflect.hasMetadata(PARAM_ARGS_METADATA, constructor, methodName)
  )
    return;
  const mark = (index: number): object => ({ index, data: undefined, pipes: [] });
  const marks = {
    [`${ParamType.Payload}:0`]: mark(0),
    [`${ParamType.Connection}:1`]: mark(1),
  };
  Reflect.defineMetadata(PARAM_ARGS_METADATA, marks, constructor, methodName);
}
