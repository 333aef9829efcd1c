// Line charts as SVG: a few stacked panels over one time axis.

/** One line: points by time in milliseconds. */
export interface Line {
  name: string;
  colour: string;
  points: readonly (readonly [atMs: number, value: number])[];
  /** Steps from value to value, as a capacity does. */
  stepped?: boolean;
  dashed?: boolean;
}

/** Lines that share an axis. */
export interface Panel {
  unit: string;
  lines: readonly Line[];
  height: number;
}

const WIDTH = 900;
const LEFT = 64;
const RIGHT = 16;
const TOP = 72;
const GAP = 46;
const BOTTOM = 34;

/** The document; every panel has its own axis from 0, the legend stands above. */
export function chart(title: string, panels: readonly Panel[]): string {
  const endMs = Math.max(...panels.flatMap(({ lines }) => lines.map(({ points }) => points.at(-1)?.[0] ?? 0)));
  const x = (ms: number) => LEFT + (ms / endMs) * (WIDTH - LEFT - RIGHT);
  let top = TOP;
  const parts: string[] = [];
  for (const panel of panels) {
    parts.push(drawPanel(panel, top, x, endMs));
    top += panel.height + GAP;
  }
  const height = top - GAP + BOTTOM;
  const style = 'font-family="sans-serif" font-size="12" fill="#333"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ${style}>
<title>${title}</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="${LEFT}" y="20" font-size="15" font-weight="bold">${title}</text>
${legend(panels.flatMap(({ lines }) => lines))}
${parts.join('\n')}
<text x="${WIDTH - RIGHT}" y="${height - 6}" text-anchor="end">seconds</text>
</svg>
`;
}

function legend(lines: readonly Line[]): string {
  let x = LEFT;
  return lines
    .map((line) => {
      const at = x;
      x += 40 + line.name.length * 7;
      return `<path d="M${at} 38h22" ${stroke(line)} stroke-width="3"/><text x="${at + 27}" y="42">${line.name}</text>`;
    })
    .join('');
}

function drawPanel({ unit, lines, height }: Panel, top: number, x: (ms: number) => number, endMs: number): string {
  const highest = lines.reduce((most, { points }) => points.reduce((max, [, value]) => Math.max(max, value), most), 0);
  const step = roundStep(highest / 4);
  const scale = Math.max(step, Math.ceil(highest / step) * step);
  const y = (value: number) => top + height * (1 - value / scale);
  const parts = [`<text x="${LEFT}" y="${top - 6}">${unit}</text>`];
  for (let value = 0; value <= scale; value += step) parts.push(gridLine(y(value), format(value)));
  const seconds = roundStep(endMs / 8_000) * 1_000;
  for (let ms = 0; ms <= endMs; ms += seconds) {
    parts.push(`<path d="M${fixed(x(ms))} ${top}v${height}" stroke="#eee"/>`);
    parts.push(`<text x="${fixed(x(ms))}" y="${top + height + 15}" text-anchor="middle">${ms / 1_000}</text>`);
  }
  for (const line of lines) {
    parts.push(`<path d="${pathOf(line, x, y)}" fill="none" ${stroke(line)} stroke-width="1.5"/>`);
  }
  return parts.join('');
}

const gridLine = (y: number, label: string) =>
  `<path d="M${LEFT} ${fixed(y)}H${WIDTH - RIGHT}" stroke="#ddd"/><text x="${LEFT - 6}" y="${fixed(y + 4)}" text-anchor="end">${label}</text>`;

/** One pixel holds one point: more cannot be seen. */
function pathOf({ points, stepped }: Line, x: (ms: number) => number, y: (value: number) => number): string {
  let path = '';
  let drawnTo = Number.NEGATIVE_INFINITY;
  for (const [ms, value] of points) {
    if (x(ms) - drawnTo < 0.7) continue;
    drawnTo = x(ms);
    if (path === '') path = `M${fixed(drawnTo)} ${fixed(y(value))}`;
    else path += stepped ? `H${fixed(drawnTo)}V${fixed(y(value))}` : `L${fixed(drawnTo)} ${fixed(y(value))}`;
  }
  return path;
}

const stroke = ({ colour, dashed }: Line) => `stroke="${colour}"${dashed ? ' stroke-dasharray="5 3"' : ''}`;
const fixed = (value: number) => value.toFixed(1);
const format = (value: number) => String(Math.round(value * 100) / 100);

/** The next of 1, 2, 5 times a power of ten. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return (([1, 2, 5, 10] as const).find((factor) => factor * power >= value) ?? 10) * power;
}
