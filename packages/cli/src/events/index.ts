// `footlights events tail`: what happens on the stages of the account, as event sinks are told it.

import { parseArn } from '@footlights/model';
import { CliError, exitCodes, FootlightsError } from '../errors.ts';
import { type Globals, parseGlobals } from '../globals.ts';
import { type OptionSpec, parseKnown } from '../parser.ts';
import type { Surroundings } from '../surroundings.ts';
import { EventFeed, feedLimit } from './feed.ts';
import { eventLine } from './line.ts';

const usage = `usage: footlights events tail [--stage-arn <arn>] [--last <number>] [--count <number>] [global options]

Shows the events of the account's stages as they come, in the form of EventBridge: who publishes, errors, replication,
exchanged tokens, recordings. A line each: short on a terminal, JSON elsewhere. Goes on until Ctrl-C.
  --stage-arn  only those of this stage
  --last       how many of those before now to begin with, 10 by default, ${feedLimit} at most
  --count      stop after so many
`;

const options: readonly OptionSpec[] = [
  { name: '--stage-arn', takes: 1 },
  { name: '--last', takes: 1 },
  { name: '--count', takes: 1 },
  { name: '--help', takes: 0 },
];

interface Request {
  stageArn: string | undefined;
  last: number;
  count: number;
  globals: Globals;
}

/** Shows events until it is interrupted, or as many as `--count` says. */
export async function events(argv: readonly string[], around: Surroundings): Promise<void> {
  const request = readRequest(argv);
  if (!request) return around.stdout(usage);
  const feed = new EventFeed(request.globals, around.env, request.stageArn);
  let left = request.count;
  let found = await feed.newest(request.last);
  for (;;) {
    for (const event of found.slice(0, left))
      around.stdout(around.terminal.stdout ? `${eventLine(event)}\n` : `${JSON.stringify(event)}\n`);
    left -= found.length;
    if (left <= 0) return;
    found = await next(feed, around);
  }
}

/** Milliseconds between tries while the server is away. */
const retryMs = 1_000;

/** A server that is away is waited for: nothing that happens meanwhile is missed. */
async function next(feed: EventFeed, around: Surroundings) {
  for (let told = false; ; ) {
    try {
      return await feed.next();
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode === exitCodes.service) throw error;
      if (!told) around.stderr(`footlights: ${error.message.trim()}; trying again\n`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

function readRequest(argv: readonly string[]): Request | undefined {
  const own = parseKnown(argv, options, false);
  const given = new Map(own.occurrences.map(({ option, words }) => [option.name, words[0]]));
  if (given.has('--help') || own.rest[0] === 'help') return undefined;
  const { globals, command, rest } = parseGlobals(own.rest);
  if (command !== 'tail') throw refusal(command === undefined ? 'nothing is asked for' : `unknown word: ${command}`);
  if (rest.length > 0) throw refusal(`unknown words: ${rest.join(' ')}`);
  const stageArn = given.get('--stage-arn');
  if (stageArn !== undefined && parseArn(stageArn)?.type !== 'stage')
    throw refusal('--stage-arn needs the ARN of a stage');
  const last = Number(given.get('--last') ?? 10);
  if (!(Number.isInteger(last) && last >= 0 && last <= feedLimit))
    throw refusal(`--last needs a whole number from 0 to ${feedLimit}`);
  const count = Number(given.get('--count') ?? Number.POSITIVE_INFINITY);
  if (!(count >= 1)) throw refusal('--count needs a number from 1');
  return { stageArn, last, count, globals };
}

const refusal = (message: string): FootlightsError =>
  new FootlightsError(exitCodes.own, `${message}; "footlights events tail --help" explains`);
