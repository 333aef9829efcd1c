// FFmpeg 8 as an encoder: sends all streams of a file in real time, as `ffmpeg -re -i FILE -map 0 -c copy -f FORMAT -OPTION VALUE URL` does.
// Usage: node ffmpeg-send.mjs FILE FORMAT URL [OPTION=VALUE …]
// biome-ignore lint/style/noRestrictedImports: this is a child process, with FFmpeg itself under test.
import { AV_LOG_VERBOSE } from 'node-av/constants';
// biome-ignore lint/style/noRestrictedImports: as above.
import { Dictionary, FFmpegError, FormatContext, Log, Packet } from 'node-av/lib';

const [file, format, url, ...options] = process.argv.slice(2);
Log.setLevel(AV_LOG_VERBOSE);
const must = (answer, what) => {
  FFmpegError.throwIfError(answer, what);
  return answer;
};

const input = new FormatContext();
must(await input.openInput(file), 'openInput');
must(await input.findStreamInfo(), 'findStreamInfo');
const output = new FormatContext();
must(output.allocOutputContext2(null, format, url), 'allocOutputContext2');
for (const { codecpar, timeBase } of input.streams) {
  const stream = output.newStream();
  must(codecpar.copy(stream.codecpar), 'copy');
  stream.codecpar.codecTag = 0;
  stream.timeBase = timeBase;
}
// WHIP opens its connections itself.
if (format !== 'whip') must(await output.openOutput(), 'openOutput');
must(
  await output.writeHeader(Dictionary.fromObject(Object.fromEntries(options.map((one) => one.split('=', 2))))),
  'writeHeader',
);
console.log('connected');

const packet = new Packet();
packet.alloc();
const started = performance.now();
while ((await input.readFrame(packet)) >= 0) {
  const from = input.streams[packet.streamIndex].timeBase;
  const due = started + (Number(packet.dts) * 1_000 * from.num) / from.den;
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  packet.rescaleTs(from, output.streams[packet.streamIndex].timeBase);
  must(await output.interleavedWriteFrame(packet), 'interleavedWriteFrame');
  packet.unref();
}
must(await output.writeTrailer(), 'writeTrailer');
console.log('over');
