import type { ContractHarness } from './contract-harness.js';

/** A server of the cluster under test. Closing it twice closes it once. */
export interface ContractMember {
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one more server. */
export type Join<Member> = () => Promise<Member>;

/** One case, for a cluster that has no server yet. */
export interface Check<Member> {
  readonly name: string;
  readonly takesSeveral: boolean;
  run(join: Join<Member>): Promise<void>;
}

/** Runs the case and closes its servers. What the case itself says goes before what the closing says. */
export async function runCheck<Instance, Member extends ContractMember>(
  harness: ContractHarness<Instance>,
  check: Check<Member>,
  enlist: (instance: Instance, serverId: string) => Member,
): Promise<void> {
  await harness.reset?.();
  const members: Member[] = [];
  let last = 0;
  const join = async (): Promise<Member> => {
    const serverId = `server-${++last}`;
    const member = enlist(await harness.create(), serverId);
    members.push(member);
    await member.start();
    return member;
  };
  const done = await Promise.allSettled([check.run(join)]);
  const closed = await Promise.allSettled(members.map((member) => member.close()));
  const failed = [...done, ...closed].find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}

export function oneServer<Member>(name: string, run: (a: Member) => Promise<void>): Check<Member> {
  return { name, takesSeveral: false, run: async (join) => run(await join()) };
}

export function twoServers<Member>(
  name: string,
  run: (a: Member, b: Member) => Promise<void>,
): Check<Member> {
  return growing(name, async (join) => {
    const [a, b] = await atOnce(join, 2);
    await run(a!, b!);
  });
}

export function threeServers<Member>(
  name: string,
  run: (a: Member, b: Member, c: Member) => Promise<void>,
): Check<Member> {
  return growing(name, async (join) => {
    const [a, b, c] = await atOnce(join, 3);
    await run(a!, b!, c!);
  });
}

/** Its servers start one after another, when the case wants them. */
export function growing<Member>(
  name: string,
  run: (join: Join<Member>) => Promise<void>,
): Check<Member> {
  return { name, takesSeveral: true, run };
}

/** Servers that start at the same time. Waits for all, so that one that fails leaves none that starts later. */
export async function atOnce<Member>(join: Join<Member>, count: number): Promise<Member[]> {
  const starting = Array.from({ length: count }, join);
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

/** Those that the implementation can be asked. */
export function checksFor<One extends Check<never>>(
  checks: readonly One[],
  servers: 1 | undefined,
): readonly One[] {
  return servers === 1 ? checks.filter(({ takesSeveral }) => !takesSeveral) : checks;
}
