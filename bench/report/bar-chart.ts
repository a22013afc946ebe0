import type { BarChart } from './figures.js';

const WIDTH = 760;
const HEIGHT = 300;
const LEFT = 56;
const RIGHT = 12;
const TOP = 56;
const BOTTOM = 44;
const COLORS = ['#d9480f', '#1971c2', '#2f9e44', '#868e96', '#ae3ec9', '#0c8599', '#f08c00'];
const FONT = 'font-family="system-ui, sans-serif" font-size="12"';

/** The chart as SVG, readable on a light and on a dark page. */
export function barChartSvg({ title, unit, groups, series }: BarChart): string {
  const most = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const top = roundUp(most);
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const groupWidth = (WIDTH - LEFT - RIGHT) / groups.length;
  const barWidth = (groupWidth * 0.8) / series.length;
  const bars = series.flatMap(({ values }, at) =>
    values.flatMap((value, group) => {
      if (value === undefined) return [];
      const x = LEFT + groupWidth * (group + 0.1) + barWidth * at;
      const label = `<text x="${x + barWidth / 2}" y="${y(value) - 4}" text-anchor="middle" font-size="10" fill="#666">${short(value)}</text>`;
      return [
        `<rect x="${x}" y="${y(value)}" width="${barWidth - 2}" height="${y(0) - y(value)}" fill="${COLORS[at]}"/>`,
        label,
      ];
    }),
  );
  const lines = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(top * share)}" y2="${y(top * share)}" stroke="#ddd"/>`,
    `<text x="${LEFT - 6}" y="${y(top * share) + 4}" text-anchor="end" fill="#666">${short(top * share)}</text>`,
  ]);
  const names = groups.map(
    (name, at) =>
      `<text x="${LEFT + groupWidth * (at + 0.5)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#444">${escaped(name)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" ${FONT}>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="14" font-weight="600" fill="#222">${escaped(title)} (${escaped(unit)})</text>`,
    ...legend(series.map(({ name }) => name)),
    ...lines,
    ...bars,
    ...names,
    '</svg>',
    '',
  ].join('\n');
}

function legend(names: readonly string[]): string[] {
  let x = LEFT;
  return names.flatMap((name, at) => {
    const from = x;
    x += 30 + name.length * 6.6;
    return [
      `<rect x="${from}" y="32" width="10" height="10" fill="${COLORS[at]}"/>`,
      `<text x="${from + 15}" y="41" fill="#444">${escaped(name)}</text>`,
    ];
  });
}

/** The next of 1, 2, 4 and 8 times a power of ten that is not below the value. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 4, 8, 10].map((step) => step * power).find((step) => step >= value)!;
}

function short(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1_000)}k`;
  if (value >= 100) return value.toFixed(0);
  return Number(value.toPrecision(2)).toString();
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
