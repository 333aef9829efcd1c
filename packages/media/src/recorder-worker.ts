import { LogBudget } from './log-budget.ts';
import { LoopDelay } from './loop-delay.ts';
import type { FromRecorder, ToRecorder } from './record/channel.ts';
import { LATE_TICK_MS, RECORD_TICK_MS } from './record/limits.ts';
import { Recorder } from './record/recorder.ts';
import { systemClock } from './rim/clock.ts';
import { CpuMeter } from './rim/cpu-meter.ts';
import { type Parent, parentProcess } from './rim/parent.ts';
import { connectRelay, RelayLink } from './rim/relay-link.ts';

const PULSE_MS = 1_000;

type Main = Parent<FromRecorder, ToRecorder>;

function open(parent: Main, spoolBytes: number): Recorder {
  const lines = new LogBudget((fields, message) => parent.send({ type: 'log', level: 'warn', fields, message }));
  const recorder = new Recorder({
    clock: systemClock,
    spoolBytes,
    connect: (address) => (onBytes, onClosed) => new RelayLink(connectRelay(address), onBytes, onClosed),
    tell: (event) => parent.send({ type: 'recording', event }),
    warn: (fields, message) => lines.say(told(fields), message),
  });
  const cpu = new CpuMeter();
  const loop = new LoopDelay(systemClock.now());
  let last = systemClock.now();
  setInterval(() => {
    const now = systemClock.now();
    const isLate = now - last > LATE_TICK_MS;
    last = now;
    loop.tick(now);
    // What waits in the sockets is older than now.
    if (!isLate) recorder.tick(now);
  }, RECORD_TICK_MS);
  setInterval(() => {
    recorder.report(systemClock.now());
    const { recordings, spooledBytes } = recorder;
    const statistics = { recordings, spooledBytes, cpu: cpu.read(), loopDelayMs: loop.worstMs };
    parent.send({ type: 'pulse', statistics });
  }, PULSE_MS);
  return recorder;
}

/** An error loses its stack on the way to another process. */
function told(fields: object): object {
  const { err } = fields as { err?: unknown };
  return err instanceof Error ? { ...fields, err: undefined, error: err.stack } : fields;
}

/** Serves the main process until it says shutdown or is gone. */
function serve(parent: Main): void {
  let recorder: Recorder | undefined;
  parent.onMessage((message) => {
    if (message.type === 'start') {
      recorder = open(parent, message.spoolBytes);
      parent.send({ type: 'ready' });
    } else if (message.type === 'record') recorder?.record(message.options, message.source);
    else if (message.type === 'pause') recorder?.pause(message.id);
    else if (message.type === 'end') recorder?.end(message.id, message.failure);
    else void Promise.resolve(recorder?.close()).finally(() => process.exit(0));
  });
  parent.onGone(() => process.exit(0));
}

const parent = parentProcess<FromRecorder, ToRecorder>();
if (parent) serve(parent);
else {
  console.error('footlights: recorder-worker is started by the server, not by hand');
  process.exitCode = 1;
}
