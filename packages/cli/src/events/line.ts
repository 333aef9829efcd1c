// One event on one line of a terminal.

/** An event in the form of EventBridge, as far as it is looked into here. */
export interface BusEvent {
  time?: string;
  resources?: string[];
  detail?: Record<string, unknown>;
}

/** Members that stand at their own places, or repeat what others say. */
const placed = new Set(['event_name', 'event_time', 'event_time_precise', 'session_id']);

/** Time, stage, name, then what the detail has, as name=value. */
export function eventLine({ time = '', resources = [], detail = {} }: BusEvent): string {
  const pairs = Object.entries(detail)
    .filter(([name]) => !placed.has(name))
    .map(([name, value]) => `${name}=${plain(value)}`);
  const subject = printable(resources[0]?.split('/').at(-1) ?? '');
  return [printable(time), subject, printable(String(detail.event_name ?? '')), ...pairs].join('  ');
}

const plain = (value: unknown): string =>
  typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : printable(JSON.stringify(value) ?? '');

// What participants wrote must not move the cursor.
const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
