/** What a process has used so far, and holds now. */
export interface ProcessUsage {
  readonly cpuMicros: number;
  /** Heap and buffers. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export function usageOfThisProcess(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { cpuMicros: user + system, heapBytes: heapUsed + external, rssBytes: rss };
}
