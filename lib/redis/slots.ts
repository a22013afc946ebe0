import { crc16 } from './crc16.js';

/** The number of slots among which Redis Cluster divides its keys. Source: Redis Cluster specification. */
export const SLOTS = 16_384;

/** The slot of a hash tag, and so of every key with this tag. */
export function slotOfTag(tag: string): number {
  return crc16(tag) % SLOTS;
}

/** The slot of one of our keys or channels, which all begin with their hash tag. */
export function slotOf(key: string): number {
  return slotOfTag(key.slice(1, key.indexOf('}')));
}
