import { mkdir, writeFile } from 'node:fs/promises';
import { table } from '../support/report.js';
import { barChartSvg } from './bar-chart.js';
import { holds, type Section, type Verdict } from './figures.js';

const PAGE = 'docs/benchmarks.md';
const CHARTS = 'docs/benchmarks';

export interface RunFacts {
  readonly command: string;
  /** Machine, date and the versions of what was measured. */
  readonly conditions: readonly string[];
}

const INTRODUCTION = `# Benchmarks

What LoopWs costs beside other servers, measured in one run. Unless a section says otherwise, the servers take turns on the
same machine, and each has its clients in a process of their own, which check that every event arrives once and in order.
Absolute numbers depend on the machine; compare those of one table with each other.

\`npm run bench\` wrote this page, in about half an hour; \`npm run bench:quick\` prints a short form of it in less than two
minutes. [bench/](../bench/README.md) explains the method, names the servers and discusses the results.
`;

/** Writes the page and its charts. */
export async function writePage(facts: RunFacts, sections: readonly Section[]): Promise<void> {
  await mkdir(CHARTS, { recursive: true });
  const parts = [INTRODUCTION, factsText(facts), verdictText(sections)];
  for (const section of sections) parts.push(await sectionText(section));
  await writeFile(PAGE, parts.join('\n'));
}

export function factsText({ command, conditions }: RunFacts): string {
  return `${conditions.map((line) => `- ${line}`).join('\n')}\n- \`${command}\`\n`;
}

export function verdictText(sections: readonly Section[]): string {
  const verdicts = sections.flatMap((section) => section.verdicts);
  if (verdicts.length === 0) return '';
  const head = ['what', 'measured', 'least to most of the rounds', 'at most', 'holds', 'floor'];
  return `## Targets\n\n${TARGETS_TEXT}\n\n${table(head, verdicts.map(verdictRow))}\n`;
}

const TARGETS_TEXT =
  'The goals that this project has set itself. "A, of B" is what LoopWs costs divided by what B does, from the medians of the ' +
  'rounds: below 1, LoopWs is cheaper. Pushes ask for no result here (`receipt: false`), as no peer has one; the tables show ' +
  '"loopws, results" beside it, which is the default. "Floor" is the same figure of what is under every server: `node:net` for a ' +
  'fan-out, `ws` for inbound events, `ioredis` and `ws` across servers, with nothing around them.';

function verdictRow(verdict: Verdict): string[] {
  const { what, spread, limit, floor, unit = '' } = verdict;
  const figure = (value: number): string =>
    `${value < 0.1 ? value.toPrecision(2) : value.toFixed(2)}${unit}`;
  return [
    what,
    figure(verdict.figure),
    spread === undefined ? '' : spread.map(figure).join(' to '),
    `${limit}${unit}`,
    holds(verdict) ? 'yes' : 'no',
    floor === undefined ? '' : figure(floor),
  ];
}

/** The tables of a section, for a terminal. */
export function tablesText(section: Section): string {
  return `## ${section.title}\n\n${tablesOf(section)}`;
}

function tablesOf({ tables }: Section): string {
  return tables.map(({ title, head, rows }) => `${title}\n\n${table(head, rows)}\n`).join('\n');
}

async function sectionText(section: Section): Promise<string> {
  const pictures: string[] = [];
  for (const chart of section.charts) {
    const file = `${chart.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.svg`;
    await writeFile(`${CHARTS}/${file}`, barChartSvg(chart));
    pictures.push(`![${chart.title}](benchmarks/${file})\n`);
  }
  return [`## ${section.title}`, section.text, ...pictures, tablesOf(section)].join('\n\n');
}
