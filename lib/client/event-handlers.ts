import type {
  LoopDataMatching,
  LoopEventData,
  LoopNamesMatching,
} from '../protocol/event-types.js';

/** An event as it arrived. Where a pattern matches several names, testing `name` narrows `data`. */
export type LoopReceivedEvent<P extends string = string> = {
  [Name in LoopNamesMatching<P>]: { readonly name: Name; readonly data: LoopEventData<Name> };
}[LoopNamesMatching<P>];

/** What an application does with events of the pattern `P`. What it throws or rejects with goes to `onError`. */
export type LoopEventHandler<P extends string> = (
  data: LoopDataMatching<P>,
  event: LoopReceivedEvent<P>,
) => unknown;

/** A handler as it is kept: the type of the data is the server's promise, whose schemas are checked there. */
export type UntypedHandler = (data: unknown, event: { name: string; data: unknown }) => unknown;
