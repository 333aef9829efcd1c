import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ChunkReader, ChunkWriter, limits, type Message } from './index.ts';

vi.setConfig({ testTimeout: 30_000 });

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

interface Read {
  messages: Message[];
  error: string | undefined;
}

/** Reads pieces of `size` bytes. */
function read(bytes: Buffer, size = bytes.length, reader = new ChunkReader()): Read {
  const messages: Message[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    const piece = bytes.subarray(start, start + size);
    for (let at = 0; at < piece.length && reader.error === undefined; ) {
      at = reader.read(piece, at);
      const message = reader.take();
      if (message !== undefined) messages.push(message);
    }
  }
  return { messages, error: reader.error };
}

/** Type, stream, time and body of each message, in whatever pieces they come. */
function summary(bytes: Buffer): string[] {
  const whole = read(bytes);
  expect(whole.error).toBeUndefined();
  for (const size of [1, 2, 3, 5, 11]) expect(read(bytes, size)).toEqual(whole);
  return whole.messages.map(
    ({ type, streamId, timestamp, body }) => `${type} ${streamId} ${timestamp} ${body.toString('hex')}`,
  );
}

const setChunkSize = (size: number) => {
  const message = hex('02 000000 000004 01 00000000 00000000');
  message.writeUInt32BE(size, 12);
  return message;
};

describe('a reader', () => {
  it('takes headers of all four types', () => {
    const bytes = hex('04 000064 000001 08 02000000 aa  44 00000a 000002 09 bbcc  84 000005 ddee  c4 ff00');
    expect(summary(bytes)).toEqual(['8 2 100 aa', '9 2 110 bbcc', '9 2 115 ddee', '9 2 120 ff00']);
  });

  it('takes chunk stream ids of one, two and three bytes', () => {
    const bytes = hex(
      '3f 000000 000001 08 00000000 aa 00 00 000000 000001 08 00000000 bb 01 0001 000000 000001 08 00000000 cc',
    );
    expect(summary(bytes)).toEqual(['8 0 0 aa', '8 0 0 bb', '8 0 0 cc']);
    // 64 + 0xff is one stream in either form.
    expect(summary(hex('00 ff 000001 000001 08 00000000 aa 81 ff00 000001 bb'))).toEqual(['8 0 1 aa', '8 0 2 bb']);
  });

  it('joins the halves of interleaved messages', () => {
    const half = 'ab'.repeat(128);
    const bytes = hex(`04 000001 000081 08 01000000 ${half} 06 000002 000082 09 01000000 ${half} c4 cd c6 ef01`);
    expect(summary(bytes)).toEqual([`8 1 1 ${half}cd`, `9 1 2 ${half}ef01`]);
  });

  it('takes messages without bytes', () => {
    expect(summary(hex('04 000001 000000 08 01000000 c4'))).toEqual(['8 1 1 ', '8 1 2 ']);
  });

  it('obeys another chunk size at once', () => {
    const body = 'ab'.repeat(300);
    const chunks = `04 000000 00012c 08 01000000 ${body.slice(0, 400)} c4 ${body.slice(400)}`;
    expect(summary(Buffer.concat([setChunkSize(200), hex(chunks)]))).toEqual(['1 0 0 000000c8', `8 1 0 ${body}`]);
  });

  it('forgets a message that is aborted', () => {
    const bytes = hex(
      `04 000001 000081 08 01000000 ${'ab'.repeat(128)} 02 000000 000004 02 00000000 00000004 c4 ${'cd'.repeat(128)} c4 cd`,
    );
    expect(summary(bytes)).toEqual(['2 0 0 00000004', `8 1 2 ${'cd'.repeat(129)}`]);
  });

  it('lets type 1 come first, as in pings of librtmp', () => {
    expect(summary(hex('42 000000 000006 04 000600000001'))).toEqual(['4 0 0 000600000001']);
  });
});

describe('extended timestamps', () => {
  const first = `04 ffffff 000081 08 01000000 01000000 ${'ab'.repeat(128)}`;

  it('are repeated in chunks of type 3', () => {
    expect(summary(hex(`${first} c4 01000000 cd`))).toEqual([`8 1 16777216 ${'ab'.repeat(128)}cd`]);
  });

  it.each(['cd', '01', '00'])('may be left out there (%s follows)', (last) => {
    const next = '06 000000 000001 09 01000000 ee';
    expect(summary(hex(`${first} c4 ${last} ${next}`))).toEqual([
      `8 1 16777216 ${'ab'.repeat(128)}${last}`,
      '9 1 0 ee',
    ]);
  });

  it('are a step in headers of types 1 and 2', () => {
    const bytes = hex('04 000001 000001 08 01000000 aa 84 ffffff 01000000 bb 84 000001 cc');
    expect(summary(bytes)).toEqual(['8 1 1 aa', '8 1 16777217 bb', '8 1 16777218 cc']);
  });

  it('are used from 0xffffff on', () => {
    expect(summary(hex('04 ffffff 000001 08 01000000 00ffffff aa'))).toEqual(['8 1 16777215 aa']);
    expect(summary(hex('04 fffffe 000001 08 01000000 aa'))).toEqual(['8 1 16777214 aa']);
  });

  it('wrap', () => {
    expect(summary(hex('04 ffffff 000001 08 01000000 ffffffff aa 84 000002 bb'))).toEqual([
      '8 1 4294967295 aa',
      '8 1 1 bb',
    ]);
  });
});

it.each([
  ['type 2 comes first', '84 000000', 'chunk stream 4: begins with a header of type 2'],
  ['type 3 comes first', 'c4', 'chunk stream 4: begins with a header of type 3'],
  [
    'a message begins within another',
    `04 000000 000081 08 01000000 ${'ab'.repeat(128)} 04 000000 000001 08 01000000`,
    'chunk stream 4: a message begins within another',
  ],
  ['a chunk size is 0', '02 000000 000004 01 00000000 00000000', 'a chunk size of 0'],
  ['a chunk size has its highest bit', '02 000000 000004 01 00000000 80000000', 'a chunk size of 2147483648'],
  ['a chunk size ends early', '02 000000 000001 01 00000000 01', 'a chunk size of 0'],
])('says what is wrong when %s', (_, bytes, error) => {
  for (const size of [1, 100]) expect(read(hex(`${bytes} ff`), size).error).toBe(error);
});

describe('limits', () => {
  const header = (length: number, type: number, id = 4) =>
    hex(
      `${id.toString(16).padStart(2, '0')} 000000 ${length.toString(16).padStart(6, '0')} ${type.toString(16).padStart(2, '0')} 01000000`,
    );

  it.each([
    [1, 'one byte'],
    [limits.maxChunkSize, '16 MiB less one'],
    [0x7fffffff, 'all that fit'],
  ])('let a chunk have %i bytes (%s)', (size) => {
    const writer = new ChunkWriter();
    const announced = writer.write(2, { type: 1, streamId: 0, timestamp: 0, body: setChunkSize(size).subarray(12) });
    const message = { type: 9, streamId: 1, timestamp: 5, body: Buffer.alloc(300, 7) };
    expect(read(Buffer.concat([announced, writer.write(6, message)])).messages[1]).toEqual(message);
  });

  it.each([
    [9, limits.mediaBytes, '4194304'],
    [8, limits.mediaBytes, '4194304'],
    [22, limits.mediaBytes, '4194304'],
    [20, limits.otherBytes, '262144'],
    [18, limits.otherBytes, '262144'],
  ])('let a message of type %i have %i bytes', (type, length, text) => {
    expect(read(header(length, type)).error).toBeUndefined();
    expect(read(header(length + 1, type)).error).toBe(
      `a message of type ${type} announces ${length + 1} bytes, more than ${text}`,
    );
  });

  it('keep a message whole at its limit', () => {
    const writer = new ChunkWriter();
    const message = { type: 9, streamId: 1, timestamp: 5, body: Buffer.alloc(limits.mediaBytes, 7) };
    const { messages } = read(writer.write(6, message), 65_536);
    expect(messages[0]!.body.equals(message.body)).toBe(true);
  });

  it('let a connection have 64 chunk streams', () => {
    const ids = (count: number) =>
      Buffer.concat(
        Array.from({ length: count }, (_, i) => Buffer.concat([hex('01'), Buffer.of(i, 0), header(0, 8).subarray(1)])),
      );
    expect(read(ids(limits.chunkStreams)).error).toBeUndefined();
    expect(read(ids(65)).error).toBe('more than 64 chunk streams');
  });

  it('take no memory for what is only announced', () => {
    const reader = new ChunkReader();
    read(header(limits.mediaBytes, 9), 1, reader);
    expect(reader.pendingBytes).toBe(65_536);
  });

  it('let unfinished messages have 8 MiB, or what was set', () => {
    const reader = new ChunkReader();
    const chunks = (count: number) =>
      Buffer.concat(
        Array.from({ length: count }, (_, i) => Buffer.concat([header(65_536, 9, 3 + i), Buffer.alloc(128)])),
      );
    reader.limitPending(4 * 65_536);
    expect(read(chunks(4), 50, reader)).toEqual({ messages: [], error: undefined });
    expect(reader.pendingBytes).toBe(4 * 65_536);
    expect(read(Buffer.concat([header(65_536, 9, 10), Buffer.alloc(1)]), 50, reader).error).toBe(
      'unfinished messages need more than 262144 bytes',
    );

    const half = Buffer.alloc(3 * 1024 * 1024);
    const two = [
      setChunkSize(half.length),
      header(limits.mediaBytes, 9, 4),
      half,
      header(limits.mediaBytes, 9, 5),
      half,
    ];
    const full = new ChunkReader();
    expect(read(Buffer.concat(two), 65_536, full).error).toBeUndefined();
    expect(full.pendingBytes).toBe(limits.pendingBytes);
    expect(read(Buffer.concat([header(1, 9, 6), Buffer.alloc(20)]), 20, full).error).toBe(
      'unfinished messages need more than 8388608 bytes',
    );
  });
});

describe('a writer', () => {
  it('says no more than it must', () => {
    const writer = new ChunkWriter();
    const write = (type: number, timestamp: number, body: string, streamId = 1) =>
      writer.write(4, { type, streamId, timestamp, body: hex(body) }).toString('hex');
    expect(write(8, 10, 'aa')).toBe('0400000a0000010801000000aa');
    expect(write(8, 30, 'aabb')).toBe('4400001400000208aabb');
    expect(write(8, 45, 'aabb')).toBe('8400000faabb');
    expect(write(8, 60, 'aabb')).toBe('c4aabb');
    expect(write(8, 50, 'aabb')).toBe('040000320000020801000000aabb');
    expect(write(8, 51, 'aabb', 2)).toBe('040000330000020802000000aabb');
  });

  it('is read back, whatever it writes', () => {
    const message = fc.record({
      id: fc.constantFrom(2, 3, 63, 64, 319, 320, 65_599),
      type: fc.constantFrom(8, 9, 18, 20),
      streamId: fc.nat(2),
      timestamp: fc.oneof(
        fc.nat(1_000),
        fc.nat(0xffffffff),
        fc.constantFrom(0xfffffe, 0xffffff, 0x1000000, 0xffffffff),
      ),
      body: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    });
    const run = fc.record({
      messages: fc.array(message, { maxLength: 12 }),
      chunkSize: fc.constantFrom(1, 2, 100, 128, 4_096),
      piece: fc.integer({ min: 1, max: 700 }),
    });
    fc.assert(
      fc.property(run, ({ messages, chunkSize, piece }) => {
        const writer = new ChunkWriter();
        const size = { type: 1, streamId: 0, timestamp: 0, body: setChunkSize(chunkSize).subarray(12) };
        const sent = messages.map(({ id: _, ...rest }) => rest);
        const bytes = [writer.write(2, size), ...messages.map(({ id, ...rest }) => writer.write(id, rest))];
        expect(read(Buffer.concat(bytes), piece)).toEqual({ messages: [size, ...sent], error: undefined });
      }),
    );
  });
});
