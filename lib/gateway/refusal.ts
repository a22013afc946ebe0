import { HttpException } from '@nestjs/common';

/** Why an upgrade ends without a socket: a real HTTP answer. */
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

/** For a server that cannot take it now, and for clients that must not all come back at once. */
export function tryLater(status: 429 | 503, message: string, retryAfterMs: number): UpgradeRefusal {
  const spreadMs = retryAfterMs * (0.5 + Math.random());
  return new UpgradeRefusal(status, message, {
    'Retry-After': String(Math.ceil(spreadMs / 1_000)),
  });
}

/** An `HttpException` refuses with its own status, as it would on a route. */
export function refusalOf(exception: HttpException): UpgradeRefusal {
  const status = exception.getStatus();
  return new UpgradeRefusal(status >= 400 && status < 600 ? status : 500, exception.message);
}
