import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a request may come from where it says. Browsers name the page's origin and a page cannot forge it, which is
 * the one defence against another site's page that connects with its visitor's cookies. Other clients send none.
 *
 * @param allowed Origins that are compared whole; without it the origin must be the host that is connected to.
 */
export function isAllowedOrigin(
  { origin, host }: IncomingHttpHeaders,
  allowed: readonly string[] | '*' | undefined,
): boolean {
  if (origin === undefined || allowed === '*') return true;
  if (allowed !== undefined) return allowed.includes(origin);
  return URL.canParse(origin) && new URL(origin).origin === origin && new URL(origin).host === host;
}
