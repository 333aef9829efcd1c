import { randomBytes } from 'node:crypto';
import type { FromWorker, ToWorker, WorkerLoad, WorkerOptions } from './channel.ts';
import { PACE_MS, TICK_MS } from './limits.ts';
import { LogBudget } from './log-budget.ts';
import { MediaError } from './media.ts';
import { systemClock } from './rim/clock.ts';
import { CpuMeter } from './rim/cpu-meter.ts';
import { type Parent as ParentOf, parentProcess } from './rim/parent.ts';
import { connectRelay, listenForRelays, RelayLink } from './rim/relay-link.ts';
import { processUsage } from './rim/usage.ts';
import { WebRtcHost } from './rim/webrtc.ts';
import { Sfu } from './sfu.ts';

const PULSE_MS = 1_000;

type Parent = ParentOf<FromWorker, ToWorker>;

/** A worker that listens: its forwarding, how busy it is, and how to end it. */
interface Running {
  sfu: Sfu;
  load(): WorkerLoad;
  stop(): void;
}

const random32 = () => randomBytes(4).readUInt32BE();

async function open(parent: Parent, options: WorkerOptions): Promise<Running> {
  const nativeWarnings = new LogBudget((fields, message) => {
    parent.send({ type: 'log', level: 'warn', fields, message });
  });
  const host = new WebRtcHost({ ...options, warn: (message) => nativeWarnings.say({}, message.slice(0, 500)) });
  const port = await host.open();
  const secret = randomBytes(32).toString('hex');
  const listening = await listenForRelays((socket) => {
    sfu.relays.accept((onBytes, onClosed) => new RelayLink(socket, onBytes, onClosed));
  });
  const cpu = new CpuMeter();
  const load = { cpu: 0, loopDelayMs: 0 };
  const sfu: Sfu = new Sfu({
    host,
    clock: systemClock,
    limits: options.limits,
    random32,
    startPacing: () => startPacing(sfu),
    later: setImmediate,
    relay: {
      secret,
      connect: (address) => (onBytes, onClosed) => new RelayLink(connectRelay(address), onBytes, onClosed),
    },
    emit: (event) => parent.send({ type: 'event', event }),
    log: (level, fields, message) => parent.send({ type: 'log', level, fields, message }),
  });
  const tick = setInterval(() => sfu.tick(systemClock.now()), TICK_MS);
  const pulse = setInterval(() => {
    Object.assign(load, { cpu: cpu.read(), loopDelayMs: sfu.loopDelayMs });
    parent.send({ type: 'pulse', load });
  }, PULSE_MS);
  parent.send({ type: 'ready', port, relay: { host: '127.0.0.1', port: listening.port, secret } });
  return {
    sfu,
    load: () => load,
    stop() {
      clearInterval(tick);
      clearInterval(pulse);
      nativeWarnings.stop();
      listening.server.close();
      host.shutdown();
    },
  };
}

function startPacing(sfu: Sfu): void {
  const timer = setInterval(() => {
    if (!sfu.paceAll(systemClock.now())) clearInterval(timer);
  }, PACE_MS);
}

function accept(parent: Parent, sfu: Sfu, { requestId, request, relay }: Extract<ToWorker, { type: 'accept' }>): void {
  try {
    const accepted = sfu.accept(request, relay);
    const published = sfu.tracksOf(request.connectionId);
    parent.send({ type: 'accepted', requestId, accepted, ...(published && { published }) });
  } catch (error) {
    const { code, message } = error instanceof MediaError ? error : unexpected(parent, error);
    parent.send({ type: 'rejected', requestId, code, message });
  }
}

/** A fault of ours or of native code: the peer hears little, the log all. */
function unexpected(parent: Parent, error: unknown): MediaError {
  const fields = { stack: error instanceof Error ? error.stack : undefined };
  parent.send({ type: 'log', level: 'error', fields, message: `an offer could not be answered: ${String(error)}` });
  return new MediaError('UNAVAILABLE', 'the media worker could not answer the offer');
}

/** Serves the main process until it says shutdown or is gone. */
function serve(parent: Parent): void {
  let running: Running | undefined;
  const end = (code: number) => {
    running?.stop();
    process.exit(code);
  };
  const handle = (message: ToWorker) => {
    if (message.type === 'start') {
      open(parent, message.options).then(
        (opened) => {
          running = opened;
        },
        (error: Error) => parent.send({ type: 'refused', message: error.message }),
      );
    } else if (message.type === 'shutdown') end(0);
    else if (running) handleRunning(parent, running, message);
  };
  parent.onMessage(handle);
  parent.onGone(() => end(0));
}

function handleRunning(
  parent: Parent,
  { sfu, load }: Running,
  message: Exclude<ToWorker, { type: 'start' | 'shutdown' }>,
): void {
  switch (message.type) {
    case 'accept':
      accept(parent, sfu, message);
      break;
    case 'close':
      sfu.close(message.connectionId);
      break;
    case 'video-stopped':
      sfu.setVideoStopped(message.connectionId, message.stopped);
      break;
    case 'layers':
      parent.send({ type: 'layers', requestId: message.requestId, layers: sfu.layers(message.connectionId) });
      break;
    case 'choose-layer': {
      const done = sfu.chooseLayer(message.connectionId, message.encodingId);
      parent.send({ type: 'layer-chosen', requestId: message.requestId, done });
      break;
    }
    case 'statistics': {
      const statistics = { usage: processUsage(), cpu: load().cpu, ...sfu.statistics() };
      parent.send({ type: 'statistics', requestId: message.requestId, statistics });
      break;
    }
  }
}

const parent = parentProcess<FromWorker, ToWorker>();
if (parent) serve(parent);
else {
  console.error('footlights: media-worker is started by the server, not by hand');
  process.exitCode = 1;
}
