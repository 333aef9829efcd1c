import { randomBytes } from 'node:crypto';
import type { ToWorker, WorkerOptions } from './channel.ts';
import { TICK_MS } from './limits.ts';
import { LogBudget } from './log-budget.ts';
import { type AcceptRequest, MediaError } from './media.ts';
import { systemClock } from './rim/clock.ts';
import { type Parent, parentProcess } from './rim/parent.ts';
import { WebRtcHost } from './rim/webrtc.ts';
import { Sfu } from './sfu.ts';

const PULSE_MS = 1_000;

/** A worker that listens: its forwarding, and how to end it. */
interface Running {
  sfu: Sfu;
  stop(): void;
}

const random32 = () => randomBytes(4).readUInt32BE();

async function open(parent: Parent, options: WorkerOptions): Promise<Running> {
  const nativeWarnings = new LogBudget((fields, message) => {
    parent.send({ type: 'log', level: 'warn', fields, message });
  });
  const host = new WebRtcHost({ ...options, warn: (message) => nativeWarnings.say({}, message.slice(0, 500)) });
  const port = await host.open();
  const sfu = new Sfu({
    host,
    clock: systemClock,
    random32,
    emit: (event) => parent.send({ type: 'event', event }),
    log: (level, fields, message) => parent.send({ type: 'log', level, fields, message }),
  });
  const tick = setInterval(() => sfu.tick(systemClock.now()), TICK_MS);
  const pulse = setInterval(() => parent.send({ type: 'pulse' }), PULSE_MS);
  parent.send({ type: 'ready', port });
  return {
    sfu,
    stop() {
      clearInterval(tick);
      clearInterval(pulse);
      nativeWarnings.stop();
      host.shutdown();
    },
  };
}

function accept(parent: Parent, sfu: Sfu, requestId: number, request: AcceptRequest): void {
  try {
    parent.send({ type: 'accepted', requestId, accepted: sfu.accept(request) });
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
    else if (running) handleRunning(parent, running.sfu, message);
  };
  parent.onMessage(handle);
  parent.onGone(() => end(0));
}

function handleRunning(parent: Parent, sfu: Sfu, message: Exclude<ToWorker, { type: 'start' | 'shutdown' }>): void {
  switch (message.type) {
    case 'accept':
      accept(parent, sfu, message.requestId, message.request);
      break;
    case 'close':
      sfu.close(message.connectionId);
      break;
    case 'statistics':
      parent.send({ type: 'statistics', requestId: message.requestId, statistics: sfu.statistics() });
      break;
  }
}

const parent = parentProcess();
if (parent) serve(parent);
else {
  console.error('footlights: media-worker is started by the server, not by hand');
  process.exitCode = 1;
}
