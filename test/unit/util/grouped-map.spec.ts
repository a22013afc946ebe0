import { GroupedMap } from '../../../lib/util/grouped-map.js';

interface Device {
  readonly id: string;
  readonly n: number;
}

const device = (id: string, n = 0): Device => ({ id, n });

function grouped(): GroupedMap<Device> {
  return new GroupedMap(({ id }) => id);
}

describe('GroupedMap', () => {
  it('finds values by group and key, be they alone or not', () => {
    const map = grouped();
    map.set('acme', device('a'));
    expect([map.get('acme', 'a')?.id, map.get('acme', 'b'), map.get('other', 'a')]).toEqual([
      'a',
      undefined,
      undefined,
    ]);
    map.set('acme', device('b'));
    map.set('other', device('a'));
    expect([map.get('acme', 'a')?.id, map.get('acme', 'b')?.id, map.get('acme', 'c')]).toEqual([
      'a',
      'b',
      undefined,
    ]);
    expect([map.size, map.sizeOf('acme'), map.sizeOf('other'), map.sizeOf('none')]).toEqual([
      3, 2, 1, 0,
    ]);
    expect(map.of('acme').map(({ id }) => id)).toEqual(['a', 'b']);
    expect([map.of('none'), [...map.keys()]]).toEqual([[], ['acme', 'other']]);
    expect([...map].map(({ id }) => id)).toEqual(['a', 'b', 'a']);
  });

  it('has one value per key: the latest', () => {
    const map = grouped();
    map.set('acme', device('a', 1));
    map.set('acme', device('a', 2));
    expect([map.size, map.get('acme', 'a')?.n]).toEqual([1, 2]);
    map.set('acme', device('b'));
    map.set('acme', device('a', 3));
    expect([map.size, map.get('acme', 'a')?.n]).toEqual([2, 3]);
  });

  it('says whether it deleted something, and forgets a group with its last value', () => {
    const map = grouped();
    for (const id of ['a', 'b', 'c']) map.set('acme', device(id));
    expect([map.delete('acme', 'x'), map.delete('none', 'a')]).toEqual([false, false]);
    expect(['b', 'a', 'a', 'c'].map((id) => map.delete('acme', id))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect([map.size, [...map.keys()], [...map]]).toEqual([0, [], []]);
  });
});
