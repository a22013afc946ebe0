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

What LoopWs costs beside others, measured in one run: every figure of a table comes from the same machine and the same
minutes, the servers take turns, and each has its clients in a process of their own that check that every event arrives,
once and in order. Absolute numbers move with the machine; compare those of one table with each other.

This page is written by \`npm run bench\`, in about twenty-five minutes; \`npm run bench:quick\` prints a short form of it in less than
two minutes. How it is done is in [bench/](../bench/README.md).
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
  const head = ['what', 'measured', 'at most', 'holds'];
  return `## Targets\n\n${table(head, verdicts.map(verdictRow))}\n`;
}

function verdictRow(verdict: Verdict): string[] {
  const { what, figure, limit, unit = '' } = verdict;
  return [what, `${figure.toFixed(2)}${unit}`, `${limit}${unit}`, holds(verdict) ? 'yes' : 'NO'];
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
