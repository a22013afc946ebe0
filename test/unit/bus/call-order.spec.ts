import { jest } from '@jest/globals';
import { CallOrder } from '../../../lib/bus/call-order.js';

/** Work that ends when it is told to. */
class Work {
  private finish!: () => void;
  private readonly done = new Promise<void>((resolve) => (this.finish = resolve));

  constructor(
    private readonly name: string,
    private readonly log: string[],
  ) {}

  readonly start = async (): Promise<void> => {
    this.log.push(this.name);
    await this.done;
  };

  end(): Promise<void> {
    this.finish();
    return new Promise((resolve) => setImmediate(resolve));
  }
}

let order: CallOrder;
let log: string[];
const work = (name: string): Work => new Work(name, log);

beforeEach(() => {
  order = new CallOrder();
  log = [];
});

describe('P1: the order of calls', () => {
  it('lets durable pushes run side by side, and others at once when none is ahead', () => {
    void order.durable(work('d1').start);
    void order.durable(work('d2').start);
    expect(log).toEqual(['d1', 'd2']);
    const quiet = new CallOrder();
    void quiet.other(work('o1').start);
    void quiet.durable(work('d3').start);
    expect(log).toEqual(['d1', 'd2', 'o1', 'd3']);
  });

  it('makes others wait for the durable ones before them, and durable ones for those', async () => {
    const [d1, d2] = [work('d1'), work('d2')];
    void order.durable(d1.start);
    void order.durable(d2.start);
    void order.other(work('o1').start);
    void order.other(work('o2').start);
    void order.durable(work('d3').start);
    void order.other(work('o3').start);
    await d2.end();
    expect(log).toEqual(['d1', 'd2']);
    await d1.end();
    expect(log).toEqual(['d1', 'd2', 'o1', 'o2', 'd3']);
  });

  it('goes on in the same turn in which a durable one is delivered', () => {
    let delivered!: () => void;
    void order.durable((isDelivered) => {
      delivered = isDelivered;
      return new Promise(() => {});
    });
    void order.other(work('o1').start);
    delivered();
    expect(log).toEqual(['o1']);
  });

  it('goes on when a durable one fails', async () => {
    const failing = order.durable(() => Promise.reject(new Error('no Redis')));
    const other = order.other(async () => log.push('o1'));
    await expect(failing).rejects.toThrow('no Redis');
    await other;
    expect(log).toEqual(['o1']);
  });

  it('P6: waits no longer than it says for one that does not end', async () => {
    void order.durable(work('d1').start);
    await order.other(async () => log.push('o1'));
    expect(log).toEqual(['d1', 'o1']);
  });

  it('P6: lets none wait longer when more hang, however the two alternate', async () => {
    jest.useFakeTimers();
    try {
      for (let n = 0; n < 10; n++) {
        void order.durable(() => new Promise(() => {}));
        void order.other(async () => log.push(`o${n}`));
      }
      await jest.advanceTimersByTimeAsync(249);
      expect(log).toEqual([]);
      await jest.advanceTimersByTimeAsync(2);
      expect(log).toHaveLength(10);
    } finally {
      jest.useRealTimers();
    }
  });
});
