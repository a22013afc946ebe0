import { LiveMembers } from '../../../lib/redis/live-members.js';

const TIMEOUT_MS = 1_000;
const NOW = 5_000_000;

function members(): { live: LiveMembers; beat: (...ids: string[]) => void } {
  const live = new LiveMembers(TIMEOUT_MS);
  const beat = (...ids: string[]): void =>
    live.note(
      ids.map((id) => [id, NOW]),
      NOW,
      performance.now(),
    );
  return { live, beat };
}

describe('the processes that may be alive', () => {
  it('P5: who left stays away, though a beat that was read before says otherwise', () => {
    const { live, beat } = members();
    beat('a', 'b');
    live.remove('b');
    beat('a', 'b');
    live.add('b');
    expect([...live.ids]).toEqual(['a']);
    expect(live.allBeatsSeen).toBe(true);
  });

  it('keeps nothing of those that Redis has forgotten', () => {
    const { live, beat } = members();
    live.remove('b');
    beat('a');
    live.add('b');
    expect([...live.ids]).toEqual(['a', 'b']);
  });
});
