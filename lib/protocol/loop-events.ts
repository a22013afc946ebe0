/**
 * The events of your application: full name to payload type. Declare yours once by declaration merging; pushes,
 * handlers and clients are then checked against them. With nothing declared, every `service:event` with `unknown` data
 * is allowed.
 *
 * @example
 * import type {} from 'nestjs-loopws'; // a module can be augmented only where it is imported
 * declare module 'nestjs-loopws' {
 *   interface LoopEvents {
 *     'billing:invoice.paid': { invoiceId: string; cents: number };
 *   }
 * }
 */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type -- it exists to be merged into
export interface LoopEvents {}
