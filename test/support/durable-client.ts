import { Replay } from '../../lib/bus/replay.js';
import { ConnectionRegistry } from '../../lib/index.js';
import type { EventFrame, OkFrame } from '../../lib/protocol/frames.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import { eventually } from './eventually.js';
import type { LoopApp } from './loop-app.js';

export const eventsOf = ({ frames }: LoopTestClient): EventFrame[] =>
  frames.filter((frame): frame is EventFrame => 'event' in frame);

export const dataOf = (client: LoopTestClient): unknown[] =>
  eventsOf(client).map(({ data }) => data);

/** Topics that were reset outside of an answer, in order. */
export const resetsOf = ({ frames }: LoopTestClient): string[] =>
  frames.flatMap((frame) => (frame.op === 'reset' ? Object.keys(frame.topics) : []));

/** The events of an account and its resets, in order. */
export const storyOf = ({ frames }: LoopTestClient): unknown[] =>
  frames.flatMap((frame) => {
    if ('event' in frame) return [frame.data];
    return frame.op === 'reset' && 'account' in frame.topics ? ['reset'] : [];
  });

export const gets = (client: LoopTestClient, data: unknown): Promise<void> =>
  eventually(`${String(data)} arrives`, () => dataOf(client).includes(data));

/** How long a bus may take to be whole again, on a busy machine too. */
export const HEALING_MS = 15_000;

/** Pushes to the account until Redis has confirmed it, and resolves with its position. */
export async function pushKept(publisher: LoopApp, data: unknown): Promise<string> {
  let position: string | undefined;
  await eventually(
    'it is kept',
    async () => {
      const options = { id: `push ${String(data)}` };
      ({ position } = await publisher.bus.pushToAccount('acme', 'chat:n', data, options));
      return position !== undefined;
    },
    HEALING_MS,
  );
  return position!;
}

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

/**
 * Now the server waits no longer for a client to say where it was. Tests choose the moment, because the time that a server
 * waits by itself is also the time in which a connection has to open, and a busy machine needs all of it.
 */
export function waitNoLongerFor(server: LoopApp, connectionId = 'phone'): Promise<void> {
  const connection = server.get(ConnectionRegistry).get('acme', connectionId)!;
  return server.get(Replay).continueFromWelcome(connection);
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
