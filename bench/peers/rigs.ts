import { startRedis } from '../../test/support/redis-server.js';
import { inTurn } from '../support/rounds.js';
import type { PeerName } from './index.js';
import { Rig, type RigOptions } from './rig.js';

/** Who is compared on one server. */
export const ONE_SERVER: readonly PeerName[] = ['loopws', 'ws', 'nest-ws', 'socket.io'];

/** What the libraries cost alone across servers. */
export const LIBRARIES: PeerName = 'ioredis + ws';

/** Who is compared across servers. */
export const SEVERAL_SERVERS: readonly PeerName[] = [
  'loopws',
  'loopws, results',
  'socket.io classic',
  LIBRARIES,
  'socket.io sharded',
  'socket.io streams',
];

/** Enough of them to see whether something was lost. */
export const SEVERAL_SERVERS_IN_SHORT = SEVERAL_SERVERS.slice(0, 4);

/** Redis with servers of one kind, the first of which publishes. */
export async function startCluster(
  name: PeerName,
  servers: number,
  options: Pick<RigOptions, 'aside'> = {},
): Promise<Rig> {
  const { url } = await startRedis();
  return Rig.start(name, { handlers: 0, subscriptions: 1, servers, redis: url, ...options });
}

/** One after another, so that none of them starts while others use the machine. */
export async function startEach(
  names: readonly PeerName[],
  start: (name: PeerName) => Promise<Rig>,
): Promise<Rig[]> {
  const rigs: Rig[] = [];
  for (const name of names) rigs.push(await start(name));
  return rigs;
}

/** How busy the generators of the load were, for the text of a section. */
export function clientsText(rigs: readonly Rig[]): string {
  const each = rigs.map(
    ({ name, clientsBusyAtMost }) => `${name} ${(clientsBusyAtMost * 100).toFixed(0)} %`,
  );
  return `The clients' process was busy at most, of one processor: ${each.join(', ')}.`;
}

export async function endEach(rigs: readonly Rig[]): Promise<void> {
  await Promise.all(rigs.map((rig) => rig.end()));
}

/** Measures in turn, round after round. */
export async function measureEach<Figure>(
  rounds: number,
  rigs: readonly Rig[],
  measure: (rig: Rig) => Promise<Figure>,
): Promise<Map<PeerName, Figure[]>> {
  const figures = await inTurn(rounds, rigs, measure);
  return new Map([...figures].map(([{ name }, own]) => [name, own]));
}
