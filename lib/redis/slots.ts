import { crc16 } from './crc16.js';

/** In how many slots Redis Cluster divides its keys. */
export const SLOTS = 16_384;

/** The slot of a hash tag, which is that of every key with this tag. */
export function slotOfTag(tag: string): number {
  return crc16(tag) % SLOTS;
}

/** The slot of one of our keys and channels, all of which begin with their hash tag. */
export function slotOf(key: string): number {
  return slotOfTag(key.slice(1, key.indexOf('}')));
}
