/* What a server with histories says to a client, and how a client is made to come back to it. */
import type { ServerFrame } from '../../../lib/protocol/frames.js';
import {
  type Peer,
  reactions,
  type ScriptedServer,
  type TestClient,
  type WireFrame,
} from './scripted-server.js';

type Since = Readonly<Record<string, string>>;
type Answer = (since: Since, frame: WireFrame, peer: Peer) => void;

/** The answer to a `since`. */
export function ok({ id }: WireFrame, fields: object): ServerFrame {
  return { op: 'ok', id: id!, granted: [], denied: [], ...fields };
}

export const resumeAll: Answer = (since, frame, peer) => {
  const resumed = Object.fromEntries(Object.keys(since).map((topic) => [topic, 0]));
  peer.send(ok(frame, { resumed, reset: {} }));
};

export const refuseWith =
  (code: string): Answer =>
  (_since, frame, peer) =>
    peer.send({ op: 'error', id: frame.id!, code, message: 'Not now.' });

/** Lets the server answer each `since` with the next of these, and all others of them with everything resumed. */
export function answerSince(server: ScriptedServer, ...answers: readonly Answer[]): Since[] {
  const asked: Since[] = [];
  const others = server.react;
  server.react = (frame, peer) => {
    if (frame.since === undefined) return others(frame, peer);
    const answer = answers[asked.length] ?? resumeAll;
    asked.push(frame.since);
    answer(frame.since, frame, peer);
  };
  return asked;
}

/** Lets the server say with every grant of a pattern of the service from where on its events come. */
export function grantFrom(server: ScriptedServer, pos: string, service = 'prices'): void {
  server.react = (frame, peer) => {
    const isNew = frame.patterns?.some((pattern) => pattern.startsWith(`${service}:`));
    if (frame.op !== 'subscribe' || !isNew) return reactions.friendly(frame, peer);
    const positions = { [`service:${service}`]: pos };
    peer.send({ op: 'ok', id: frame.id!, granted: frame.patterns!, positions });
  };
}

export function event(pos: string, topic = 'account', name = 'chat:n'): ServerFrame {
  return { event: name, data: pos, topic, pos };
}

/** Frames in one write, as the server has them when it sends several in one turn. */
export function together(peer: Peer, ...frames: readonly ServerFrame[]): void {
  const { _socket: raw } = peer.socket as unknown as {
    _socket: { cork(): void; uncork(): void };
  };
  raw.cork();
  for (const frame of frames) peer.send(frame);
  raw.uncork();
}

export async function reconnect(
  server: ScriptedServer,
  client: TestClient,
  peer: Peer,
): Promise<Peer> {
  peer.close(4408);
  await client.nextState('waiting');
  return server.nextPeer();
}

export function resetsOf({ loop }: TestClient): string[] {
  const resets: string[] = [];
  loop.onReset(({ topic }) => resets.push(topic));
  return resets;
}

/** Everything that the server has sent so far has been handled. */
export const handled = ({ loop }: TestClient): Promise<unknown> => loop.ping();
