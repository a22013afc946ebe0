import { LoopTransportError } from '../../../lib/index.js';
import { resolveConfig } from '../../../lib/loop-ws.config-reader.js';
import { InFlightWindow } from '../../../lib/redis/in-flight-window.js';

const config = resolveConfig({ redisMaxInFlight: 2_048, redisMaxInFlightBytes: 100 });
const never = (): Promise<never> => new Promise(() => {});
const done = async (): Promise<string> => 'done';

describe('P6: what waits for Redis', () => {
  it('is bounded in bytes', async () => {
    const window = new InFlightWindow(config);
    void window.hold(60, never);
    expect(await window.hold(40, done)).toBe('done');
    await expect(window.hold(41, done)).rejects.toThrow(LoopTransportError);
    await expect(window.hold(41, done)).rejects.toThrow('1 messages with 60 bytes are already');
  });

  it('is bounded in number', async () => {
    const window = new InFlightWindow(config);
    for (let at = 0; at < 2_048; at++) void window.hold(0, never);
    await expect(window.hold(0, done)).rejects.toMatchObject({ code: 'backpressure' });
  });

  it('gives its room back, whatever becomes of it', async () => {
    const window = new InFlightWindow(config);
    for (let at = 0; at < 3; at++) {
      const failing = window.hold(100, async () => {
        throw new Error('failed');
      });
      await expect(failing).rejects.toThrow('failed');
    }
    expect(await window.hold(100, done)).toBe('done');
  });
});
