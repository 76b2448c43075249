/**
 * A chart of lines over two logarithmic axes, as SVG: no library, no fonts of its own, readable on a
 * light and on a dark page.
 *
 * @module
 */

/** One line. Points are `[x, y]`, both above 0. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** Writes a value of the horizontal axis. */
  readonly formatX: (value: number) => string;
  /** Which values of the horizontal axis are marked; powers of ten unless given. */
  readonly ticksX?: readonly number[];
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 72;
const RIGHT = 110;
const TOP = 48;
const BOTTOM = 56;
/** Room above and below the lines, and the least that the vertical axis spans, as factors. */
const PADDING = 1.25;
const SPAN_MIN = 10;
const COLOURS = ["#0b6bcb", "#c2410c", "#15803d", "#7e22ce"] as const;

/** Draws the chart. */
export function drawChart(chart: Chart): string {
  const points = chart.series.flatMap((series) => series.points);
  const x = axis(rangeOf(points.map(([value]) => value)), LEFT, WIDTH - RIGHT);
  const y = axis(widened(rangeOf(points.map(([, value]) => value))), HEIGHT - BOTTOM, TOP);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="system-ui, sans-serif" font-size="13" role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 26, chart.title, 'font-size="16" font-weight="600"'),
    ...y.ticks.flatMap((value) => {
      const at = y.place(value);
      const label = text(LEFT - 8, at + 4, plain(value), 'text-anchor="end"');
      return [line(LEFT, at, WIDTH - RIGHT, at, "#d4d4d8"), label];
    }),
    ...(chart.ticksX ?? x.ticks).flatMap((value) => {
      const at = x.place(value);
      const label = text(at, HEIGHT - BOTTOM + 20, chart.formatX(value), 'text-anchor="middle"');
      return [line(at, TOP, at, HEIGHT - BOTTOM, "#e4e4e7"), label];
    }),
    line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "#52525b"),
    line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, "#52525b"),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, chart.xLabel, 'text-anchor="middle"'),
    `<text transform="translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" ` +
    `text-anchor="middle" fill="#27272a">${escaped(chart.yLabel)}</text>`,
    ...drawSeries(chart.series, x.place, y.place),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

type Place = (value: number) => number;

function drawSeries(series: readonly Series[], x: Place, y: Place): string[] {
  const parts: string[] = [];
  const labels = series.map(({ points }) => y(points.at(-1)![1]));
  series.forEach(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length]!;
    const path = points.map(([px, py]) => `${round(x(px))},${round(y(py))}`).join(" ");
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [px, py] of points) {
      parts.push(
        `<circle cx="${round(x(px))}" cy="${round(y(py))}" r="3" fill="${colour}">` +
          `<title>${escaped(`${name}: ${plain(py)}`)}</title></circle>`,
      );
    }
    // Names stand at the ends of their lines, moved apart where those meet.
    const above = labels.filter((at, other) =>
      at < labels[index]! || at === labels[index]! && other < index
    ).length;
    const sorted = [...labels].sort((a, b) => a - b);
    let at = sorted[0]!;
    for (let step = 1; step <= above; step++) at = Math.max(sorted[step]!, at + 16);
    parts.push(text(WIDTH - RIGHT + 8, at + 4, name, `font-weight="600" fill="${colour}"`));
  });
  return parts;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

function rangeOf(values: readonly number[]): Range {
  return { low: Math.min(...values), high: Math.max(...values) };
}

/** With room above and below, and at least a power of ten, so that what is flat looks flat. */
function widened({ low, high }: Range): Range {
  const factor = Math.max(PADDING, Math.sqrt(SPAN_MIN / (high / low)));
  return { low: low / factor, high: high * factor };
}

/** A logarithmic axis: where values stand, and which are marked. */
function axis({ low, high }: Range, from: number, to: number): { place: Place; ticks: number[] } {
  const span = Math.log(high / low) || 1;
  const decades = Math.log10(high / low);
  const steps = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const step of steps) {
      const value = step * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(value);
    }
  }
  return { place: (value) => from + Math.log(value / low) / span * (to - from), ticks };
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ` +
    `stroke="${colour}"/>`;
}

function text(x: number, y: number, words: string, attributes: string): string {
  const fill = attributes.includes("fill=") ? "" : ' fill="#27272a"';
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}${fill}>${escaped(words)}</text>`;
}

function plain(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
