import { Test } from '@nestjs/testing';
import { Admission } from '../../lib/gateway/admission.js';
import { MemoryPresenceStore } from '../../lib/presence/memory/memory.presence-store.js';
import { MemoryTransport } from '../../lib/transport/memory/memory.transport.js';
import { deferred, eventually } from '../support/eventually.js';
import { loopModule } from '../support/loop-app.js';

describe('P9: a shutdown that overtakes the boot', () => {
  const calls: string[] = [];
  let transportStart = deferred();
  let presenceStart = deferred();

  class SlowTransport extends MemoryTransport {
    override async start(...args: Parameters<MemoryTransport['start']>): Promise<void> {
      calls.push('transport starts');
      await transportStart.promise;
      await super.start(...args);
    }
  }

  class SlowPresence extends MemoryPresenceStore {
    override async start(...args: Parameters<MemoryPresenceStore['start']>): Promise<void> {
      calls.push('presence starts');
      await presenceStart.promise;
      await super.start(...args);
      calls.push('presence started');
    }

    override async close(): Promise<void> {
      calls.push('presence closes');
      await super.close();
    }
  }

  async function boot() {
    calls.length = 0;
    transportStart = deferred();
    presenceStart = deferred();
    const module = loopModule({
      transport: new SlowTransport(0),
      presence: new SlowPresence(),
    });
    const app = (
      await Test.createTestingModule({ imports: [module] }).compile()
    ).createNestApplication();
    return { app, booting: app.init() };
  }

  it('starts nothing more', async () => {
    const { app, booting } = await boot();
    await eventually('the transport starts', () => calls.includes('transport starts'));

    const closing = app.close();
    await eventually('presence is closed', () => calls.includes('presence closes'));
    transportStart.resolve();
    await Promise.allSettled([booting, closing]);

    expect(calls).toEqual(['transport starts', 'presence closes']);
    expect(app.get(Admission).refusalForAnyone()).toMatchObject({ status: 503 });
  });

  it('closes what has just started', async () => {
    const { app, booting } = await boot();
    transportStart.resolve();
    await eventually('presence starts', () => calls.includes('presence starts'));

    const closing = app.close();
    presenceStart.resolve();
    await Promise.allSettled([booting, closing]);

    expect(calls).toEqual([
      'transport starts',
      'presence starts',
      'presence started',
      'presence closes',
    ]);
  });
});
