import * as amf from '../amf/index.ts';
import { MESSAGE, type Message } from './message.ts';

/** A command (RTMP 1.0, 7.1.1 and 7.2): `name, transaction, object, arguments…`. */
export interface Command {
  name: string;
  /** 0 when no answer is due. */
  transaction: number;
  object: amf.AmfValue;
  args: amf.AmfValue[];
}

/** The values of a command or data message; a string says what is wrong. Types 15 and 17 begin with a format byte (Enhanced RTMP v2). */
export function messageValues(message: Message): amf.AmfValue[] | string {
  const { type, body } = message;
  const selected = (type === MESSAGE.data3 || type === MESSAGE.command3) && body[0] === 0;
  const result = amf.read0(selected ? body.subarray(1) : body);
  return 'error' in result ? result.error : result.values;
}

/** Reads a command; a string says what is wrong. */
export function readCommand(message: Message): Command | string {
  const values = messageValues(message);
  if (typeof values === 'string') return values;
  const [name, transaction, object, ...args] = values;
  if (typeof name !== 'string') return 'has no name';
  return { name, transaction: typeof transaction === 'number' ? transaction : 0, object, args };
}

/** Writes a command on a message stream. */
export function command(
  streamId: number,
  name: string,
  transaction: number,
  object: amf.AmfValue,
  ...args: amf.AmfValue[]
): Message {
  return { type: MESSAGE.command0, streamId, timestamp: 0, body: amf.write0(name, transaction, object, ...args) };
}

/** How a status is meant (RTMP 1.0, 7.2.2). */
export type Level = 'status' | 'error';

/** The object that says how something went. */
export function info(level: Level, code: string, description: string, more: Record<string, amf.AmfValue> = {}) {
  return amf.object({ level, code, description, ...more });
}

/** An `onStatus` on a message stream. */
export function onStatus(streamId: number, level: Level, code: string, description: string): Message {
  return command(streamId, 'onStatus', 0, null, info(level, code, description));
}

/** A peer's text, short and quoted, for a message of ours. */
export const shown = (text: string) => JSON.stringify(text.slice(0, 64));
