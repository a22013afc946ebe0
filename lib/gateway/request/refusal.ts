import { HttpException } from '@nestjs/common';

/** Refuses an upgrade with an HTTP response. */
export class UpgradeRefusal extends Error {
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.headers = { 'Content-Type': 'text/plain; charset=utf-8', ...headers };
  }
}

/**
 * A refusal to retry later. `Retry-After` is a random 50 to 150 % of `retryAfterMs`, so that refused clients do not all
 * come back at once.
 */
export function tryLater(status: 429 | 503, message: string, retryAfterMs: number): UpgradeRefusal {
  const spreadMs = retryAfterMs * (0.5 + Math.random());
  return new UpgradeRefusal(status, message, {
    'Retry-After': String(Math.ceil(spreadMs / 1_000)),
  });
}

/**
 * An `HttpException` refuses with its own status, as it would on a route; a status below 400 or above 599 becomes 500.
 */
export function refusalOf(exception: HttpException): UpgradeRefusal {
  const status = exception.getStatus();
  return new UpgradeRefusal(status >= 400 && status < 600 ? status : 500, exception.message);
}
