import { randomBytes } from 'node:crypto';

/** 72 random bits as 12 characters of base64url. */
export function randomId(): string {
  return randomBytes(9).toString('base64url');
}
