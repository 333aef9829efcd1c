import * as amf from '../amf/index.ts';
import * as flv from '../flv/index.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { command } from './command.ts';
import { setChunkSize, userControl } from './control.ts';
import { MESSAGE, type Message, USER_CONTROL } from './message.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Chunks as they could come: interleaved, extended, aborted, with ids of every size. */
export const chunks: Buffer[] = [
  hex('04 000000 000003 08 01000000 af0101 44 000017 000002 09 2701 c4 2702'),
  hex(`04 000000 000081 08 01000000 ${'ab'.repeat(128)} 06 000000 000001 09 01000000 27 c4 cd`),
  hex('04 ffffff 000002 08 01000000 01000000 af01 c4 01000000 af02 c4 af03'),
  hex('02 000000 000004 01 00000000 00000001 03 000000 000002 14 00000000 05 c3 05'),
  hex('00 0a 000000 000001 08 01000000 aa 01 0a01 000000 000001 09 01000000 bb'),
  hex('05 000000 000100 09 01000000 0000 02 000000 000004 02 00000000 00000005'),
];

const write = (messages: Message[]) => {
  const writer = new ChunkWriter();
  return Buffer.concat(messages.map((message) => writer.write(message.type === MESSAGE.command0 ? 3 : 4, message)));
};

const media = (type: number, timestamp: number, body: Buffer): Message => ({ type, streamId: 1, timestamp, body });

const start = [
  setChunkSize(4096),
  command(0, 'connect', 1, amf.object({ app: 'app', tcUrl: 'rtmp://127.0.0.1/app', capsEx: 1, fourCcList: ['hvc1'] })),
  command(0, 'releaseStream', 2, null, 'key'),
  command(0, 'FCPublish', 3, null, 'key'),
  command(0, 'createStream', 4, null),
  command(1, 'publish', 5, null, 'key?a=b', 'live'),
];

/** What a client sends behind its handshake. */
export const sessions: Buffer[] = [
  write([
    ...start,
    media(MESSAGE.data0, 0, amf.write0('@setDataFrame', 'onMetaData', amf.ecmaArray({ width: 64 }))),
    media(MESSAGE.video, 0, flv.writeAvc('config', hex('0142c00affe10000'), true)),
    media(MESSAGE.audio, 0xfffffff0, flv.writeAac('frame', hex('aabb'))),
    media(MESSAGE.aggregate, 100, flv.writeTags([{ type: 8, timestamp: 7, data: hex('af01aa') }])),
    userControl(USER_CONTROL.pingRequest, 5),
    command(0, 'FCUnpublish', 0, null, 'key'),
    command(0, 'deleteStream', 0, null, 1),
  ]),
  write([...start.slice(0, 2), command(1, 'play', 0, null, 'key')]),
];
