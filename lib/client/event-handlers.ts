import type {
  LoopDataMatching,
  LoopEventData,
  LoopNamesMatching,
} from '../protocol/event-types.js';

/** An event as it arrived. When a pattern matches several names, testing `name` narrows `data`. */
export type LoopReceivedEvent<P extends string = string> = {
  [Name in LoopNamesMatching<P>]: { readonly name: Name; readonly data: LoopEventData<Name> };
}[LoopNamesMatching<P>];

/** A handler for events of the pattern `P`. What it throws or rejects with goes to `onError`. */
export type LoopEventHandler<P extends string> = (
  data: LoopDataMatching<P>,
  event: LoopReceivedEvent<P>,
) => unknown;

/** A handler as it is stored. The type of its data is a promise of the server, which the client does not check. */
export type UntypedHandler = (data: unknown, event: { name: string; data: unknown }) => unknown;
