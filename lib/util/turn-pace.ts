/** Lets so many through in each turn of the event loop; the rest follows in order, in the turns after it. */
export class TurnPace {
  private readonly waiting: (() => void)[] = [];
  private passed = 0;

  constructor(private readonly perTurn: number) {}

  /** Gives nothing to who may go on at once. */
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
