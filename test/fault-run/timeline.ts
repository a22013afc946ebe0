/** One fault, from its beginning until everything was well again. Times in milliseconds since the run began. */
export interface Span {
  readonly name: string;
  readonly from: number;
  /** When the damage ended. */
  readonly until: number;
  /** When every server had pushed again. */
  readonly wellAt: number;
}

/** What happened since the bucket before it. */
export interface Bucket {
  /** When it ended, in milliseconds since the run began. */
  readonly at: number;
  deliveries: number;
  resumes: number;
  resets: number;
}

/** How long each takes, unless the run has no time to look. */
export const BUCKET_MS = 500;

const WIDTH = 1_200;
const LEFT = 90;
const ROW = 110;
const TOP = 150;
const LINES = [
  { name: 'deliveries', color: '#2563eb' },
  { name: 'resumes', color: '#059669' },
  { name: 'resets', color: '#dc2626' },
] as const;

const STAGE = TOP + LINES.length * ROW + 40;

/** What is drawn of one stage. */
interface Drawn {
  readonly title: string;
  readonly spans: readonly Span[];
  readonly buckets: readonly Bucket[];
}

/** The run as a picture, its stages one below the other: faults as bars, and below them what clients saw. */
export function timelineOf(stages: readonly Drawn[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${stages.length * STAGE}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...stages.flatMap((stage, at) => [
      `<g transform="translate(0 ${at * STAGE})">`,
      ...linesOf(stage),
      '</g>',
    ]),
    '</svg>',
    '',
  ].join('\n');
}

function linesOf({ title, spans, buckets }: Drawn): string[] {
  const length = Math.max(buckets.at(-1)?.at ?? 0, ...spans.map(({ wellAt }) => wellAt));
  const x = (ms: number): number => LEFT + (ms / length) * (WIDTH - LEFT - 20);
  const height = STAGE - 10;
  return [
    `<text x="4" y="16" font-size="14">${title}</text>`,
    ...spans.flatMap((span) => barOf(span, x, height)),
    ...LINES.flatMap(({ name, color }, at) => lineOf(name, color, TOP + at * ROW, buckets, x)),
    ...axisOf(length, x, height),
  ];
}

function barOf({ name, from, until, wellAt }: Span, x: (ms: number) => number, height: number) {
  const bar = (begin: number, end: number, color: string): string =>
    `<rect x="${x(begin).toFixed(1)}" y="${TOP - 10}" width="${Math.max(1.5, x(end) - x(begin)).toFixed(1)}" height="${height - TOP - 15}" fill="${color}"/>`;
  const at = x(from).toFixed(1);
  return [
    bar(until, wellAt, '#fef3c7'),
    bar(from, until, '#fdba74'),
    `<text transform="translate(${at} ${TOP - 16}) rotate(-55)">${name}</text>`,
  ];
}

function lineOf(
  name: (typeof LINES)[number]['name'],
  color: string,
  top: number,
  buckets: readonly Bucket[],
  x: (ms: number) => number,
): string[] {
  const perSecond = buckets.map((bucket, index) => {
    const ms = bucket.at - (buckets[index - 1]?.at ?? bucket.at - BUCKET_MS);
    return (bucket[name] * 1_000) / Math.max(1, ms);
  });
  const most = Math.max(1, ...perSecond);
  const y = (value: number): number => top + (ROW - 25) * (1 - value / most);
  const points = buckets.map(
    ({ at }, index) => `${x(at).toFixed(1)},${y(perSecond[index]!).toFixed(1)}`,
  );
  return [
    `<text x="4" y="${top + 12}" fill="${color}">${name}/s</text>`,
    `<text x="4" y="${top + 26}" fill="#6b7280">most ${Math.round(most)}</text>`,
    `<polyline fill="none" stroke="${color}" stroke-width="1.2" points="${points.join(' ')}"/>`,
  ];
}

function axisOf(length: number, x: (ms: number) => number, height: number): string[] {
  const step = length > 120_000 ? 30_000 : 10_000;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, at) => {
    const ms = at * step;
    return `<text x="${x(ms).toFixed(1)}" y="${height - 8}" text-anchor="middle" fill="#6b7280">${ms / 1_000} s</text>`;
  });
}
