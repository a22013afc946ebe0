import { jest } from '@jest/globals';
import { KeyedChain } from '../../../lib/util/keyed-chain.js';
import { deferred } from '../../support/eventually.js';

describe('KeyedChain', () => {
  it('starts nothing within the call that asks for it', async () => {
    const work = jest.fn(async () => {});
    const done = new KeyedChain().run('a', work);
    expect(work).not.toHaveBeenCalled();
    await done;
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('runs the work of one key in turn, and not behind that of another', async () => {
    const gate = deferred();
    const log: string[] = [];
    const chain = new KeyedChain();
    const first = chain.run('a', async () => {
      await gate.promise;
      log.push('a1');
    });
    const second = chain.run('a', async () => void log.push('a2'));
    await chain.run('b', async () => void log.push('b'));
    expect(log).toEqual(['b']);
    gate.resolve();
    await Promise.all([first, second]);
    expect(log).toEqual(['b', 'a1', 'a2']);
  });

  it('tells a failure to the one who asked, and goes on', async () => {
    const chain = new KeyedChain();
    const failing = chain.run('a', () => Promise.reject(new Error('no')));
    const next = chain.run('a', async () => {});
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBeUndefined();
  });

  it('forgets a key whose work is done, and no other', async () => {
    const gate = deferred();
    const chain = new KeyedChain();
    await chain.run('a', async () => {});
    expect(chain.size).toBe(0);
    const first = chain.run('a', async () => {});
    const second = chain.run('a', () => gate.promise);
    await first;
    expect(chain.size).toBe(1);
    gate.resolve();
    await second;
    expect(chain.size).toBe(0);
  });
});
