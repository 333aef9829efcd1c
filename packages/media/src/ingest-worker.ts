import { randomBytes } from 'node:crypto';
import type { FromIngest, IngestStart, ToIngest } from './ingest/channel.ts';
import { Ingest } from './ingest/ingest.ts';
import type { MakeTranscoder } from './ingest/video-input.ts';
import { forwardedVideo } from './ingest/video-line.ts';
import { TICK_MS } from './limits.ts';
import { LogBudget } from './log-budget.ts';
import { LoopDelay } from './loop-delay.ts';
import type { IngestAnswer, IngestRequest } from './media.ts';
import { AacToOpus, VideoToH264 } from './rim/av/index.ts';
import { systemClock } from './rim/clock.ts';
import { CpuMeter } from './rim/cpu-meter.ts';
import { noTransports } from './rim/no-transports.ts';
import { type Parent, parentProcess } from './rim/parent.ts';
import { listenForRelays, RelayLink } from './rim/relay-link.ts';
import { type RtmpListener, startRtmpListener } from './rim/rtmp-listener.ts';
import { processUsage } from './rim/usage.ts';

const PULSE_MS = 1_000;

type Main = Parent<FromIngest, ToIngest>;

/** Questions to the main process that have no answer yet. */
class Questions {
  readonly #parent: Main;
  readonly #waiting = new Map<number, (answer: IngestAnswer) => void>();
  #asked = 0;

  constructor(parent: Main) {
    this.#parent = parent;
  }

  ask(request: IngestRequest): Promise<IngestAnswer> {
    const requestId = ++this.#asked;
    this.#parent.send({ type: 'authorize', requestId, request });
    return new Promise((resolve) => this.#waiting.set(requestId, resolve));
  }

  answer(requestId: number, answer: IngestAnswer): void {
    this.#waiting.get(requestId)?.(answer);
    this.#waiting.delete(requestId);
  }
}

/** A process that listens. */
interface Running {
  ingest: Ingest;
  statistics(): Extract<FromIngest, { type: 'statistics' }>['statistics'];
  stop(): Promise<void>;
}

async function open(parent: Main, options: IngestStart, questions: Questions): Promise<Running> {
  const secret = randomBytes(32).toString('hex');
  const lines = new LogBudget((fields, message) => parent.send({ type: 'log', level: 'info', fields, message }));
  const ingest = new Ingest({
    secret,
    host: noTransports,
    clock: systemClock,
    limits: options.limits,
    aacToOpus: (audioSpecificConfig, bitrate, onPacket) => new AacToOpus({ audioSpecificConfig, bitrate }, onPacket),
    transcode: options.transcode ? transcode : undefined,
    authorize: (request) => questions.ask(request),
    published: (connectionId, tracks) => parent.send({ type: 'published', connectionId, tracks }),
    ended: (connectionId, reason) => parent.send({ type: 'ended', connectionId, reason }),
    log: (_level, fields, message) => lines.say(fields, message),
  });
  const relay = await listenForRelays((socket) => {
    ingest.accept((onBytes, onClosed) => new RelayLink(socket, onBytes, onClosed));
  });
  const listeners = await listen(parent, options, ingest);
  const [rtmp, rtmps] = listeners;
  const timers = startTimers(parent, ingest);
  const address = { host: '127.0.0.1', port: relay.port, secret };
  parent.send({ type: 'ready', rtmp: rtmp?.port ?? 0, rtmps: rtmps?.port ?? 0, relay: address });
  return {
    ingest,
    statistics: () => ({ ...ingest.statistics(), ...timers.load(), usage: processUsage() }),
    async stop() {
      timers.stop();
      lines.stop();
      relay.server.close();
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}

/** What a stream that is encoded anew has at most, bits per second. */
const TRANSCODED_BPS = 2_500_000;

const transcode: MakeTranscoder = ({ codec, configuration }, onUnit) =>
  new VideoToH264({ codec, ...(configuration && { configuration }), bitrate: TRANSCODED_BPS }, onUnit);

/** RTMP and RTMPS; rejects with one clear line when a port cannot be had. */
async function listen(parent: Main, options: IngestStart, ingest: Ingest): Promise<RtmpListener[]> {
  const { host, rtmpPort, rtmpsPort, tls } = options;
  const shared = {
    host,
    codecs: {
      videoCodecs: options.transcode ? [...forwardedVideo, 'hvc1'] : forwardedVideo,
      audioCodecs: ['mp4a', 'Opus'],
    },
    log: { warn: (fields: object, message: string) => parent.send({ type: 'log', level: 'warn', fields, message }) },
    onSession: ingest.onSession.bind(ingest),
  };
  const rtmp = await startRtmpListener({ ...shared, port: rtmpPort }).catch(portProblem('rtmp', host, rtmpPort));
  const rtmps = await startRtmpListener({ ...shared, port: rtmpsPort, tls }).catch(
    portProblem('rtmps', host, rtmpsPort),
  );
  return [rtmp, rtmps];
}

const portProblem = (name: string, host: string, port: number) => (error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE')
    throw new Error(`${name.toUpperCase()} port ${port} is in use on ${host}: choose another with --${name}-port`);
  if (error.code === 'EACCES')
    throw new Error(`${name.toUpperCase()} port ${port} needs more rights: choose one above 1023 with --${name}-port`);
  throw new Error(`${name.toUpperCase()} cannot listen on port ${port} of ${host}: ${error.message}`);
};

function startTimers(parent: Main, ingest: Ingest) {
  const cpu = new CpuMeter();
  const loop = new LoopDelay(systemClock.now());
  let share = 0;
  const tick = setInterval(() => {
    loop.tick(systemClock.now());
    ingest.tick(systemClock.now());
  }, TICK_MS);
  const pulse = setInterval(() => {
    share = cpu.read();
    parent.send({ type: 'pulse', load: { cpu: share, loopDelayMs: loop.worstMs } });
  }, PULSE_MS);
  return {
    load: () => ({ cpu: share, loopDelayMs: Math.round(loop.worstMs), loopDelay: loop.statistics() }),
    stop() {
      clearInterval(tick);
      clearInterval(pulse);
    },
  };
}

/** Serves the main process until it says shutdown or is gone. */
function serve(parent: Main): void {
  const questions = new Questions(parent);
  let running: Running | undefined;
  const end = () => {
    void Promise.resolve(running?.stop()).finally(() => process.exit(0));
  };
  parent.onMessage((message) => {
    if (message.type === 'start') {
      open(parent, message.options, questions).then(
        (opened) => {
          running = opened;
        },
        (error: Error) => parent.send({ type: 'refused', message: error.message }),
      );
    } else if (message.type === 'shutdown') end();
    else if (message.type === 'authorized') questions.answer(message.requestId, message.answer);
    else if (message.type === 'close') running?.ingest.close(message.connectionId);
    else if (running) {
      parent.send({ type: 'statistics', requestId: message.requestId, statistics: running.statistics() });
    }
  });
  parent.onGone(() => process.exit(0));
}

const parent = parentProcess<FromIngest, ToIngest>();
if (parent) serve(parent);
else {
  console.error('footlights: ingest-worker is started by the server, not by hand');
  process.exitCode = 1;
}
