/**
 * Whether the value is an object with named fields. Arrays, maps, sets, dates and promises are not: what they contain
 * is not in named fields.
 */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}
