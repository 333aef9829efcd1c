// `footlights watch`: a stage as it lives. On a terminal a table that redraws, else a line of JSON each time.

import { parseArn } from '@footlights/model';
import { CliError, exitCodes, FootlightsError } from '../errors.ts';
import { type Globals, parseGlobals } from '../globals.ts';
import { type OptionSpec, parseKnown } from '../parser.ts';
import type { Surroundings } from '../surroundings.ts';
import { StageSource } from './stage-source.ts';
import { jsonLine, type StageView, tableLines } from './view.ts';

const usage = `usage: footlights watch --stage-arn <arn> [--interval <seconds>] [--count <times>] [global options]

Shows who is on a stage, who publishes and speaks, and what each gets of whom: layer, bitrate, loss, round trip and what
its path is thought to carry. A table on a terminal, JSON lines elsewhere.
  --interval   seconds between two looks, 1 by default, 0.2 at least
  --count      stop after so many looks
`;

const options: readonly OptionSpec[] = [
  { name: '--stage-arn', takes: 1 },
  { name: '--interval', takes: 1 },
  { name: '--count', takes: 1 },
  { name: '--help', takes: 0 },
];

interface Request {
  stageArn: string;
  intervalMs: number;
  count: number;
  globals: Globals;
}

/** Watches until it is interrupted, or as often as `--count` says. */
export async function watch(argv: readonly string[], around: Surroundings): Promise<void> {
  const request = readRequest(argv);
  if (!request) return around.stdout(usage);
  const source = new StageSource(request.stageArn, request.globals, around.env);
  const first = await source.read();
  const screen = around.terminal.stdout
    ? openTable()
    : { show: (view: StageView) => around.stdout(`${jsonLine(view)}\n`), close: () => undefined };
  try {
    await repeat(source, first, request, screen.show);
  } finally {
    screen.close();
  }
}

function readRequest(argv: readonly string[]): Request | undefined {
  const own = parseKnown(argv, options, false);
  const given = new Map(own.occurrences.map(({ option, words }) => [option.name, words[0]]));
  if (given.has('--help') || own.rest[0] === 'help') return undefined;
  const { globals, command, rest } = parseGlobals(own.rest);
  const surplus = [...(command === undefined ? [] : [command]), ...rest];
  if (surplus.length > 0) throw refusal(`unknown words: ${surplus.join(' ')}`);
  const stageArn = given.get('--stage-arn') ?? '';
  if (parseArn(stageArn)?.type !== 'stage') throw refusal('--stage-arn needs the ARN of a stage');
  const seconds = Number(given.get('--interval') ?? 1);
  if (!(seconds >= 0.2 && seconds <= 3600)) throw refusal('--interval needs a number of seconds from 0.2 to 3600');
  const count = Number(given.get('--count') ?? Number.POSITIVE_INFINITY);
  if (!(count >= 1)) throw refusal('--count needs a number from 1');
  return { stageArn, intervalMs: seconds * 1000, count, globals };
}

const refusal = (message: string): FootlightsError =>
  new FootlightsError(exitCodes.own, `${message}; "footlights watch --help" explains`);

/** Looks again and again. A server that is away for a moment is a notice, not the end. */
async function repeat(
  source: StageSource,
  first: StageView,
  { intervalMs, count }: Request,
  show: (view: StageView) => void,
): Promise<void> {
  let view = first;
  for (let look = 1; ; look += 1) {
    show(view);
    if (look >= count) return;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
    const last = view;
    view = await source.read().catch((error: Error) => {
      if (!(error instanceof CliError) || error.exitCode === exitCodes.service) throw error;
      return { ...last, time: new Date().toISOString(), notice: error.message.trim() };
    });
  }
}

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';

/** A table on a screen of its own, drawn again at each look and at each change of size. */
function openTable(): { show(view: StageView): void; close(): void } {
  const { stdout } = process;
  let current: StageView | undefined;
  const draw = (): void => {
    if (!current) return;
    const lines = tableLines(current, stdout.columns, stdout.rows);
    stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  };
  const close = (): void => {
    stdout.off('resize', draw);
    stdout.write(leave);
  };
  stdout.write(enter);
  stdout.on('resize', draw);
  // The end by Ctrl-C is the ordinary end: the terminal gets its own screen back first.
  process.removeAllListeners('SIGINT').once('SIGINT', () => {
    close();
    process.exit(exitCodes.interrupted);
  });
  return {
    show(view) {
      current = view;
      draw();
    },
    close,
  };
}
