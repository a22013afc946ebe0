import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

type Call = readonly [id: number, method: string, argument: unknown];
type Answer = readonly [id: number, result: unknown, error: string | undefined];

interface OpenCall {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Functions that a process offers to the one that started it. */
type Methods<Service> = {
  [Name in keyof Service]: Service[Name] extends (argument: infer Argument) => Promise<infer Result>
    ? (argument: Argument) => Promise<Result>
    : never;
};

/** Lets the process that started this one call the service. Ends with that process. */
export function serve<Service extends Methods<Service>>(service: Service): void {
  process.on('message', ([id, method, argument]: Call) => {
    const work = service[method as keyof Service];
    work(argument as never).then(
      (result) => process.send!([id, result, undefined] satisfies Answer),
      (error: Error) => process.send!([id, undefined, error.stack] satisfies Answer),
    );
  });
  process.once('disconnect', () => process.exit());
}

const running = new Set<{ end(): Promise<void> }>();

/** A process of its own, of whose service functions are called. */
export class Remote<Service extends Methods<Service>> {
  private readonly child: ChildProcess;
  private readonly open = new Map<number, OpenCall>();
  private last = 0;

  constructor(module: URL, execArgv: readonly string[] = []) {
    this.child = fork(module, { execArgv: [...execArgv], serialization: 'advanced' });
    running.add(this);
    this.child.on('message', ([id, result, error]: Answer) => {
      const call = this.open.get(id);
      this.open.delete(id);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new Error(error));
    });
    this.child.once('exit', (code) => {
      for (const call of this.open.values()) call.reject(new Error(`It ended with ${code}.`));
    });
  }

  call<Name extends keyof Service & string>(
    method: Name,
    argument: Parameters<Service[Name]>[0],
  ): ReturnType<Service[Name]> {
    const result = new Promise((resolve, reject) => {
      this.open.set(++this.last, { resolve, reject });
    });
    this.child.send([this.last, method, argument] satisfies Call);
    return result as ReturnType<Service[Name]>;
  }

  /** At once. */
  async end(): Promise<void> {
    running.delete(this);
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

/** Before the Redis servers that they use are ended. */
export async function endRemotes(): Promise<void> {
  await Promise.all([...running].map((remote) => remote.end()));
}
