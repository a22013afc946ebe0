/** Lets `perTurn` callers through in each turn of the event loop; the rest follow in order in later turns. */
export class TurnPace {
  private readonly waiting: (() => void)[] = [];
  private passed = 0;

  constructor(private readonly perTurn: number) {}

  /** Returns `undefined` when the caller may continue at once, else a promise of its turn. */
  pass(): Promise<void> | undefined {
    if (this.passed === 0) setImmediate(() => this.nextTurn());
    if (this.passed === this.perTurn) return new Promise((resolve) => this.waiting.push(resolve));
    this.passed++;
    return undefined;
  }

  private nextTurn(): void {
    const next = this.waiting.splice(0, this.perTurn);
    this.passed = next.length;
    if (next.length > 0) setImmediate(() => this.nextTurn());
    for (const goOn of next) goOn();
  }
}
