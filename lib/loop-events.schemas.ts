import type { StandardSchemaV1 } from '@standard-schema/spec';

/**
 * Declares events with schemas of any Standard Schema library. Pass the result as the option `events` to validate
 * inbound payloads, and merge its types into `LoopEvents`.
 *
 * @example
 * export const events = defineLoopEvents({ 'chat:message.send': z.object({ text: z.string() }) });
 * declare module 'nestjs-loopws' {
 *   interface LoopEvents extends InferLoopEvents<typeof events> {}
 * }
 */
export function defineLoopEvents<const Schemas extends EventSchemas>(
  schemas: Schemas & NoOtherNames<Schemas>,
): Schemas {
  return Object.freeze(schemas);
}

type EventName = `${string}:${string}`;
type EventSchemas = Readonly<Record<EventName, StandardSchemaV1>>;

/** A template-literal key type alone does not reject other keys. */
type NoOtherNames<Schemas> = { readonly [Name in Exclude<keyof Schemas, EventName>]: never };

/** The payload types that the schemas describe, by event name. */
export type InferLoopEvents<Schemas extends Readonly<Record<string, StandardSchemaV1>>> = {
  [Name in keyof Schemas]: StandardSchemaV1.InferOutput<Schemas[Name]>;
};
