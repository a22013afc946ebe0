import type { LoopEvents } from './loop-events.js';

type DeclaredName = Extract<keyof LoopEvents, string>;
type AnyName = `${string}:${string}`;

/** Full names that may be pushed, sent or handled: those of {@link LoopEvents}, or any name when none is declared. */
export type LoopEventName = [DeclaredName] extends [never] ? AnyName : DeclaredName;

/** Payload of the event `N`. */
export type LoopEventData<N extends string> = N extends keyof LoopEvents ? LoopEvents[N] : unknown;

type ServiceOf<N extends string> = N extends `${infer Service}:${string}` ? Service : never;
type EventOf<N extends string> = N extends `${string}:${infer Event}` ? Event : never;
type DottedPrefix<E extends string> = E extends `${infer Head}.${infer Tail}`
  ? Head | `${Head}.${DottedPrefix<Tail>}`
  : never;
type PrefixPatternOf<N extends string> = N extends `${infer Service}:${infer Event}`
  ? `${Service}:${DottedPrefix<Event>}.*`
  : never;

/** Patterns that can match a declared event, in the five forms of the protocol; any pattern when none is declared. */
export type LoopPattern = [DeclaredName] extends [never]
  ? AnyName
  : | DeclaredName
    | `${ServiceOf<DeclaredName>}:*`
    | `*:${EventOf<DeclaredName>}`
    | PrefixPatternOf<DeclaredName>
    | '*:*';

type NameTemplateOf<P extends string> = P extends '*:*'
  ? AnyName
  : P extends `*:${infer Event}`
    ? `${string}:${Event}`
    : P extends `${infer Service}:*`
      ? `${Service}:${string}`
      : P extends `${infer Prefix}.*`
        ? `${Prefix}.${string}`
        : P;

/** Declared names that the pattern `P` matches. */
export type LoopNamesMatching<P extends string> = [DeclaredName] extends [never]
  ? AnyName
  : Extract<DeclaredName, NameTemplateOf<P>>;

/** Payloads that can arrive under the pattern `P`. */
export type LoopDataMatching<P extends string> = LoopEventData<LoopNamesMatching<P>>;
