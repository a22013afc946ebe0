import type { HttpAdapterHost } from '@nestjs/core';

const BODY = 'This is a WebSocket endpoint: connect with a WebSocket client.\n';

/**
 * Answers plain HTTP requests to the WebSocket path with 426. Call it after the application's own routes are
 * registered, so that an application's route on the same path wins: Express takes the first one, and Fastify refuses a
 * second.
 */
export function answerUpgradeRequired({ httpAdapter }: HttpAdapterHost, path: string): void {
  if (httpAdapter === undefined) return; // a standalone application has no routes
  const answer = (_request: unknown, response: unknown): void => {
    httpAdapter.setHeader(response, 'Connection', 'Upgrade');
    httpAdapter.setHeader(response, 'Upgrade', 'websocket');
    httpAdapter.setHeader(response, 'Content-Type', 'text/plain; charset=utf-8');
    httpAdapter.reply(response, BODY, 426);
  };
  try {
    httpAdapter.get(path, answer);
  } catch {
    // the application routes this path itself
  }
}
