import { slotOf } from '../../lib/redis/slots.js';
import { eventually } from './eventually.js';
import { freePort, type RedisServer, startRedis } from './redis-server.js';

/** How long a master may be silent until its replica takes over, in milliseconds. */
const NODE_TIMEOUT_MS = 1_000;

/** A real Redis Cluster of masters with one replica each, on free ports. */
export class RedisCluster {
  constructor(
    readonly masters: readonly RedisServer[],
    readonly replicas: readonly RedisServer[],
  ) {}

  /** What is passed as option `redis`. */
  get options(): { nodes: { host: string; port: number }[] } {
    return { nodes: this.masters.map(({ port }) => ({ host: '127.0.0.1', port })) };
  }

  get all(): readonly RedisServer[] {
    return [...this.masters, ...this.replicas];
  }

  async flush(): Promise<void> {
    await Promise.all(this.masters.map((master) => master.command('FLUSHALL')));
  }
}

/** Ends with `endRedisServers`. */
export async function startRedisCluster(
  masterCount = 3,
  withReplicas = true,
): Promise<RedisCluster> {
  const masters = await Promise.all(Array.from({ length: masterCount }, startNode));
  const replicas = withReplicas
    ? await Promise.all(Array.from({ length: masterCount }, startNode))
    : [];
  const cluster = new RedisCluster(masters, replicas);
  await meet(cluster);
  await shareSlots(masters);
  for (const [at, replica] of replicas.entries()) {
    await replica.command('CLUSTER', 'REPLICATE', await idOf(masters[at]!));
  }
  await eventually('the cluster serves and is replicated', () => isWhole(cluster), 20_000);
  return cluster;
}

async function startNode(): Promise<RedisServer> {
  return startRedis(
    ...['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`],
    ...['--cluster-node-timeout', `${NODE_TIMEOUT_MS}`, '--repl-ping-replica-period', '1'],
    ...['--cluster-allow-replica-migration', 'no'],
  );
}

async function meet({ all }: RedisCluster): Promise<void> {
  const [first, ...others] = all;
  for (const { port, args } of others) {
    const busPort = args[args.indexOf('--cluster-port') + 1]!;
    await first!.command('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  }
  await eventually('all servers know each other', async () => {
    const known = all.map((server) => server.command<string>('CLUSTER', 'NODES'));
    return (await Promise.all(known)).every(
      (nodes) => nodes.trim().split('\n').length === all.length && !nodes.includes('handshake'),
    );
  });
}

async function shareSlots(masters: readonly RedisServer[]): Promise<void> {
  const slots = 16_384;
  for (const [at, master] of masters.entries()) {
    const from = Math.ceil((at * slots) / masters.length);
    const to = Math.ceil(((at + 1) * slots) / masters.length) - 1;
    await master.command('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await master.command('CLUSTER', 'SET-CONFIG-EPOCH', at + 1).catch(() => {}); // it may have one
  }
}

async function isWhole({ all, replicas }: RedisCluster): Promise<boolean> {
  const states = await Promise.all(all.map((server) => server.command<string>('CLUSTER', 'INFO')));
  const links = await Promise.all(
    replicas.map((server) => server.command<string>('INFO', 'replication')),
  );
  return (
    states.every((state) => state.includes('cluster_state:ok')) &&
    links.every((link) => link.includes('master_link_status:up'))
  );
}

export function idOf(server: RedisServer): Promise<string> {
  return server.command<string>('CLUSTER', 'MYID');
}

/** Moves every slot that is subscribed to from one master to another, as an administrator does it. */
export async function moveSlots(
  from: RedisServer,
  to: RedisServer,
  { masters }: RedisCluster,
): Promise<void> {
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  const channels = await from.command<string[]>('PUBSUB', 'SHARDCHANNELS');
  for (const slot of new Set(channels.map(slotOf))) {
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    const keys = await from.command<string[]>('CLUSTER', 'GETKEYSINSLOT', slot, 10_000);
    if (keys.length > 0) {
      await from.command('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    }
    for (const master of [to, ...masters.filter((one) => one !== to)]) {
      await master.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    }
  }
}
