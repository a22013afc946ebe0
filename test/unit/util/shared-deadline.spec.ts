import { jest } from '@jest/globals';
import { SharedDeadline } from '../../../lib/util/shared-deadline.js';
import { deferred } from '../../support/eventually.js';

describe('SharedDeadline', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const pending = new Promise<never>(() => {});

  function watch() {
    const deadline = new SharedDeadline(100);
    const late: string[] = [];
    const begin = (name: string, work: PromiseLike<string> = pending): Promise<string> =>
      deadline.within(work, () => {
        late.push(`${name} ${performance.now() - beganAt}`);
        return 'late';
      });
    const beganAt = performance.now();
    return { deadline, late, begin };
  }

  it('settles as the work does, when that is in time', async () => {
    const { deadline, begin, late } = watch();
    await expect(begin('a', Promise.resolve('done'))).resolves.toBe('done');
    await expect(deadline.within(Promise.reject(new Error('failed')), () => {})).rejects.toThrow(
      'failed',
    );
    await jest.advanceTimersByTimeAsync(1_000);
    expect(late).toEqual([]);
  });

  it('gives each its whole time, with one timer for all', async () => {
    const { begin, late } = watch();
    void begin('a');
    await jest.advanceTimersByTimeAsync(30);
    void begin('b');
    void begin('c');
    await jest.advanceTimersByTimeAsync(50);
    void begin('d');
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(300);
    expect(late.map((line) => line[0]).join('')).toBe('abcd');
    for (const [at, least] of [100, 130, 130, 180].entries()) {
      const lateAt = Number(late[at]!.split(' ')[1]);
      expect(lateAt).toBeGreaterThanOrEqual(least - 1);
      expect(lateAt).toBeLessThanOrEqual(least + 2);
    }
    expect(jest.getTimerCount()).toBe(0);
  });

  it('goes on with the time of those behind work that was done', async () => {
    const { begin, late } = watch();
    const first = deferred<string>();
    void begin('a', first.promise);
    await jest.advanceTimersByTimeAsync(60);
    void begin('b');
    first.resolve('done');
    await jest.advanceTimersByTimeAsync(60);
    expect(late).toEqual([]);
    await jest.advanceTimersByTimeAsync(60);
    expect(late).toHaveLength(1);
  });

  it('rejects with what is thrown for the lateness, and ignores what the work comes to later', async () => {
    const { deadline } = watch();
    const work = deferred<string>();
    const bounded = deadline.within(work.promise, () => {
      throw new Error('too late');
    });
    const told = bounded.catch((error: Error) => error.message);
    await jest.advanceTimersByTimeAsync(110);
    work.resolve('done');
    expect(await told).toBe('too late');
  });

  it('watches work that is begun by what is told to be late', async () => {
    const { deadline, begin, late } = watch();
    void deadline.within(pending, () => void begin('next'));
    await jest.advanceTimersByTimeAsync(110);
    expect(late).toEqual([]);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(110);
    expect(late).toHaveLength(1);
  });

  it('keeps the process alive while there is work, and not longer', async () => {
    const timer = jest.spyOn(globalThis, 'setTimeout');
    const { begin } = watch();
    const keepsAlive = () => (timer.mock.results.at(-1)!.value as NodeJS.Timeout).hasRef();
    const first = deferred<string>();
    const second = deferred<string>();
    const done = [begin('a', first.promise), begin('b', second.promise)];
    first.resolve('');
    await done[0];
    expect(keepsAlive()).toBe(true);
    second.resolve('');
    await done[1];
    expect(keepsAlive()).toBe(false);
    void begin('c');
    expect(keepsAlive()).toBe(true);
    expect(timer).toHaveBeenCalledTimes(1);
  });
});
