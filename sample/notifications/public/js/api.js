import { fetchFromAny } from './servers.js';

/** What the server said when it did not do what it was asked for. */
export class ApiError extends Error {
  constructor(status, body) {
    super([body?.message ?? 'The server gave no reason.'].flat().join('\n'));
    this.status = status;
    this.body = body;
  }
}

/** Resolves with the parsed body. Rejects with an {@link ApiError}, or with status 0 when nobody answered. */
export async function call(method, path, body) {
  const response = await reach(path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => undefined);
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

async function reach(path, init) {
  try {
    return await fetchFromAny(path, init);
  } catch {
    throw new ApiError(0, { message: 'The server cannot be reached. Try again when it is back.' });
  }
}
