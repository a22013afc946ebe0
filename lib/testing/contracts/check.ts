import type { ContractHarness } from './contract-harness.js';

/** A server of the cluster under test. Closing it twice closes it once. */
export interface ContractMember {
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one more server. */
export type Join<Member> = () => Promise<Member>;

/** What a case does once its servers run. */
export interface Check<Member> {
  readonly name: string;
  readonly servers: number;
  run(members: readonly Member[], join: Join<Member>): Promise<void>;
}

/** Makes the case's servers, runs it and closes them. What the case itself says goes before what the closing says. */
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
  const work = async (): Promise<void> => {
    const started = Array.from({ length: check.servers }, join);
    await Promise.allSettled(started); // one that fails must not leave another one behind
    await check.run(await Promise.all(started), join);
  };
  const done = await Promise.allSettled([work()]);
  const closed = await Promise.allSettled(members.map((member) => member.close()));
  const failed = [...done, ...closed].find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}

export function oneServer<Member>(name: string, run: (a: Member) => Promise<void>): Check<Member> {
  return { name, servers: 1, run: ([a]) => run(a!) };
}

export function twoServers<Member>(
  name: string,
  run: (a: Member, b: Member, join: Join<Member>) => Promise<void>,
): Check<Member> {
  return { name, servers: 2, run: ([a, b], join) => run(a!, b!, join) };
}

export function threeServers<Member>(
  name: string,
  run: (a: Member, b: Member, c: Member) => Promise<void>,
): Check<Member> {
  return { name, servers: 3, run: ([a, b, c]) => run(a!, b!, c!) };
}

/** Those that the implementation can have. */
export function checksFor<Member, One extends Check<Member>>(
  checks: readonly One[],
  most: number = Infinity,
): readonly One[] {
  return checks.filter(({ servers }) => servers <= most);
}
