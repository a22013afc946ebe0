import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether the `Origin` header of a request is allowed. Browsers send the page's origin and a page cannot forge it, so
 * this is the one defence against another site's page that connects with its visitor's cookies. Other clients send no
 * origin, and are allowed.
 *
 * @param allowed Origins that are compared whole, or `*` for all; without it the host of the origin must be the `Host`
 * that the request is for.
 */
export function isAllowedOrigin(
  { origin, host }: IncomingHttpHeaders,
  allowed: readonly string[] | '*' | undefined,
): boolean {
  if (origin === undefined || allowed === '*') return true;
  if (allowed !== undefined) return allowed.includes(origin);
  return URL.canParse(origin) && new URL(origin).origin === origin && new URL(origin).host === host;
}
