import type { EventFrame, OkFrame } from '../../lib/protocol/frames.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import type { LoopApp } from './loop-app.js';

export const eventsOf = ({ frames }: LoopTestClient): EventFrame[] =>
  frames.filter((frame): frame is EventFrame => 'event' in frame);

export const dataOf = (client: LoopTestClient): unknown[] =>
  eventsOf(client).map(({ data }) => data);

/** Topics that were reset outside of an answer, in order. */
export const resetsOf = ({ frames }: LoopTestClient): string[] =>
  frames.flatMap((frame) => (frame.op === 'reset' ? Object.keys(frame.topics) : []));

/** As a client that has been here: it gets nothing durable before it has said where it was. */
export function comeBack(
  server: LoopApp,
  connectionId = 'phone',
  timeoutMs?: number,
): Promise<LoopTestClient> {
  return server.client('acme', {
    connectionId,
    query: { resume: '1' },
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
}

export function subscribe(
  client: LoopTestClient,
  since: Readonly<Record<string, string>>,
  patterns: readonly string[] = ['chat:*'],
): Promise<OkFrame> {
  return client.ask({ op: 'subscribe', patterns, since }) as Promise<OkFrame>;
}

/** The positions that were told of topics that are new to the client. */
export async function toldPositions(client: LoopTestClient): Promise<Record<string, string>> {
  const told = await client.nextFrame('positions', ({ op }) => op === 'positions');
  return told.op === 'positions' ? { ...told.topics } : {};
}
