// A stage as a table for the terminal, or as one line of JSON.

import { displayWidth } from '../output/width.ts';
import type { Rates, SubscriptionRates } from './rates.ts';

/** A participant of the stage's session, with its rates where the server tells them. */
export interface ParticipantRow extends Partial<Rates> {
  participantId: string;
  userId: string;
  state: string;
}

/** A stage at one moment. */
export interface StageView {
  time: string;
  stageArn: string;
  name: string;
  sessionId: string | undefined;
  participants: readonly ParticipantRow[];
  /** Why something is missing, when something is. */
  notice?: string | undefined;
}

/** One line of JSON without its newline. */
export const jsonLine = (view: StageView): string => JSON.stringify(view);

const headers = [
  'PARTICIPANT',
  'USER',
  'STATE',
  'PUBLISHING',
  'LAYER',
  'IN',
  'OUT',
  'LOSS',
  'RTT',
  'ESTIMATE',
] as const;

/** The lines of the table, each cut to the terminal's columns and all to its rows. */
export function tableLines(view: StageView, columns: number, rows: number): string[] {
  const users = new Map(view.participants.map(({ participantId, userId }) => [participantId, userId]));
  const cells = view.participants.flatMap((row) => [
    participantCells(row),
    ...(row.subscriptions ?? []).map((subscription) => subscriptionCells(subscription, users)),
  ]);
  const widths = headers.map((header, at) =>
    Math.max(header.length, ...cells.map((row) => displayWidth(row[at] ?? ''))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => pad(cell, widths[at]!))
      .join('  ')
      .trimEnd();
  const room = Math.max(1, rows - fixedLines);
  const hidden = Math.max(0, cells.length - room);
  const notices = [hidden > 0 ? `${hidden} more` : '', view.notice ?? ''].filter(Boolean).join('; ');
  const cut = (text: string): string => cutLine(text, columns);
  return [
    bold(cut(`${view.name || 'stage'}  ${view.stageArn}`)),
    dim(
      cut(
        `${view.time.slice(11, 19)} UTC  session ${view.sessionId ?? 'none'}  participants ${view.participants.length}`,
      ),
    ),
    '',
    bold(cut(line(headers))),
    ...(cells.length > 0 ? cells.slice(0, room).map((row) => cut(line(row))) : [dim(cut('nobody is here'))]),
    dim(cut(notices || 'Ctrl-C ends')),
  ];
}

/** Lines that are there whoever is on the stage; the last row of the terminal stays empty. */
const fixedLines = 6;

function participantCells(row: ParticipantRow): string[] {
  const { publishing, speaking } = row;
  return [
    row.participantId,
    row.userId,
    row.state.toLowerCase(),
    publishing === undefined ? '-' : speaking ? 'speaking' : publishing ? 'yes' : 'no',
    row.layers?.join(' ') ?? '-',
    bitrate(row.bitrateIn),
    bitrate(row.bitrateOut),
    percent(row.loss),
    milliseconds(row.roundTripMs),
    '',
  ];
}

/** A line below the participant for each publisher that it receives. */
function subscriptionCells(subscription: SubscriptionRates, users: ReadonlyMap<string, string>): string[] {
  const { publisherId, layer } = subscription;
  return [
    `  gets ${publisherId}`,
    users.get(publisherId) ?? '',
    '',
    '',
    layer ?? '-',
    '',
    bitrate(subscription.bitrate),
    percent(subscription.loss),
    milliseconds(subscription.roundTripMs),
    bitrate(subscription.estimatedBps),
  ];
}

const percent = (share: number | undefined): string => (share === undefined ? '-' : `${(share * 100).toFixed(1)}%`);

const milliseconds = (ms: number | undefined): string => (ms === undefined ? '-' : `${Math.round(ms)} ms`);

function bitrate(bits: number | undefined): string {
  if (bits === undefined) return '-';
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mb/s` : `${Math.round(bits / 1e3)} kb/s`;
}

const bold = (text: string): string => `\u001b[1m${text}\u001b[22m`;
const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - displayWidth(text)));

function cutLine(text: string, columns: number): string {
  let width = 0;
  let result = '';
  for (const character of text) {
    width += displayWidth(character);
    if (width > columns) break;
    result += character;
  }
  return result;
}
