import { ChannelSubscriber } from '../../redis/channel-subscriber.js';
import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { Probe } from './probe.js';

const MESSAGE = 'probe';

/** Probes each Redis server once per beat, over one of the channels that the server keeps. */
export class Probes {
  readonly channels: readonly string[];
  private readonly probes: ReadonlyMap<string, Probe>;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly backbone: RedisBackbone,
    subscriber: ChannelSubscriber,
    processId: string,
  ) {
    const { link, keys, config, pubSub } = backbone;
    this.channels = keys.probesOf(processId);
    const route = {
      publish: (channel: string) => link.send<number>(channel, pubSub.publish, [channel, MESSAGE]),
      isCompleteFor: (channel: string) => subscriber.isCompleteFor(channel),
      renew: (channel: string) => subscriber.renew(channel),
    };
    this.probes = new Map(
      this.channels.map((channel) => [channel, new Probe(channel, link, route, config)]),
    );
  }

  start(): void {
    this.timer = setInterval(() => this.run(), this.backbone.config.serverBeatMs).unref();
  }

  /** A message arrived on the channel. If it is the channel of a probe, that probe has returned. */
  arrived(channel: string): void {
    this.probes.get(channel)?.arrived();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private run(): void {
    const { topology } = this.backbone;
    const probed = new Set<unknown>();
    for (const [channel, probe] of this.probes) {
      const server = topology.ownerOf(channel);
      if (probed.has(server)) continue;
      probed.add(server);
      void probe.run();
    }
  }
}
