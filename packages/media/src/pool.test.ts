import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromWorker, ToWorker, WorkerProcess } from './channel.ts';
import { type AcceptRequest, awsMediaLimits, type MediaEvent, type MediaOptions } from './media.ts';
import { WorkerPool } from './pool.ts';

const pulse: FromWorker = { type: 'pulse', load: { cpu: 0, loopDelayMs: 0 } };

const tracks = [{ kind: 'audio' as const, codec: 'opus' as const, fmtp: '', encodingIds: [undefined] }];
const relayOf = (port: number) => ({ host: '127.0.0.1', port: port + 1_000, secret: `secret of ${port}` });

/** A worker process that a test plays. */
class FakeProcess implements WorkerProcess {
  readonly pid: number;
  readonly received: ToWorker[] = [];
  #message: (message: FromWorker) => void = () => {};
  #exit: (how: string) => void = () => {};
  #complaint: (line: string) => void = () => {};
  /** Port that it says it listens on, or why it does not; undefined stays silent. */
  readonly #opening: number | string | undefined;

  constructor(pid: number, opening: number | string | undefined) {
    this.pid = pid;
    this.#opening = opening;
  }

  send(message: ToWorker): void {
    this.received.push(message);
    if (message.type === 'shutdown') this.exit('exit code 0');
    if (message.type !== 'start') return;
    if (typeof this.#opening === 'number')
      this.say({ type: 'ready', port: this.#opening, relay: relayOf(this.#opening) });
    if (typeof this.#opening === 'string') this.say({ type: 'refused', message: this.#opening });
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.#message = listener;
  }

  onExit(listener: (how: string) => void): void {
    this.#exit = listener;
  }

  onComplaint(listener: (line: string) => void): void {
    this.#complaint = listener;
  }

  kill(): void {
    this.exit('signal SIGKILL');
  }

  say(message: FromWorker): void {
    this.#message(message);
  }

  complain(line: string): void {
    this.#complaint(line);
  }

  exit(how: string): void {
    this.#exit(how);
  }

  requests<T extends ToWorker['type']>(type: T): Extract<ToWorker, { type: T }>[] {
    return this.received.filter((message): message is Extract<ToWorker, { type: T }> => message.type === type);
  }

  /** Answers all offers that wait. */
  acceptAll(): void {
    for (const { requestId, request } of this.requests('accept')) {
      const accepted = { answer: `answer to ${request.connectionId}`, tracks: {}, layered: false };
      this.say({ type: 'accepted', requestId, accepted, ...(request.role === 'publish' && { published: tracks }) });
    }
  }
}

function setUp(workers = 2, opening: (index: number) => number | string | undefined = (index) => 7_071 + index) {
  const processes: FakeProcess[] = [];
  const lines: string[] = [];
  const say = (_fields: object, message: string) => lines.push(message);
  const options: MediaOptions = {
    workers,
    listenIp: '127.0.0.1',
    announceIps: [],
    port: 7_071,
    workerPath: '',
    limits: awsMediaLimits,
    log: { info: say, warn: say, error: say },
  };
  const spawn = () => {
    const process = new FakeProcess(100 + processes.length, opening(processes.length));
    processes.push(process);
    return process;
  };
  return { processes, lines, starting: WorkerPool.start(options, spawn) };
}

async function started(workers?: number, opening?: (index: number) => number | string | undefined) {
  const { starting, ...rest } = setUp(workers, opening);
  const pool = await starting;
  const events: MediaEvent[] = [];
  pool.on((event) => events.push(event));
  const accept = async (connectionId: string, stageId = 'stage') => {
    const accepting = pool.accept(offerOf(connectionId, stageId));
    for (const process of rest.processes) process.acceptAll();
    return accepting;
  };
  return { ...rest, pool, events, accept };
}

function offerOf(connectionId: string, stageId: string): AcceptRequest {
  return { stageId, connectionId, participantId: 'p', offer: 'v=0', role: 'publish' };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('start', () => {
  it('opens each worker on its own port', async () => {
    const { pool, processes } = await started(3);
    expect(pool.ports).toEqual([7_071, 7_072, 7_073]);
    expect(processes.map((process) => process.requests('start')[0]?.options)).toEqual([
      { listenIp: '127.0.0.1', announceIps: [], port: 7_071, litePort: 7_074, limits: awsMediaLimits },
      { listenIp: '127.0.0.1', announceIps: [], port: 7_072, litePort: 7_075, limits: awsMediaLimits },
      { listenIp: '127.0.0.1', announceIps: [], port: 7_073, litePort: 7_076, limits: awsMediaLimits },
    ]);
  });

  it('fails with the message of the worker that cannot listen, and ends the others', async () => {
    const { starting, processes } = setUp(2, (index) => (index === 1 ? 'UDP port 7072 is in use' : 7_071));
    await expect(starting).rejects.toThrow('UDP port 7072 is in use');
    expect(processes[0]?.requests('shutdown')).toHaveLength(1);
  });

  it('fails after 10 s of silence', async () => {
    const { starting } = setUp(1, () => undefined);
    const failed = expect(starting).rejects.toThrow('a media worker did not start within 10 seconds');
    await vi.advanceTimersByTimeAsync(10_000);
    await failed;
  });

  it('fails when the process ends', async () => {
    const { starting, processes } = setUp(1, () => undefined);
    processes[0]?.exit('exit code 9');
    await expect(starting).rejects.toThrow('a media worker ended at its start: exit code 9');
  });
});

describe('accept', () => {
  it('keeps a stage in one worker, and puts a new one where there are fewest connections', async () => {
    const { accept, processes } = await started(2);
    for (const [id, stage] of [
      ['a', 's1'],
      ['b', 's1'],
      ['c', 's2'],
      ['d', 's3'],
      ['e', 's1'],
      ['f', 's4'],
    ] as const) {
      await accept(id, stage);
    }
    const placed = processes.map((process) => process.requests('accept').map(({ request }) => request.connectionId));
    expect(placed).toEqual([
      ['a', 'b', 'e'],
      ['c', 'd', 'f'],
    ]);
  });

  it('forgets a stage with its last connection', async () => {
    const { accept, processes, events } = await started(2);
    await accept('a', 's1');
    await accept('b', 's2');
    await accept('c', 's2');
    processes[0]?.say({ type: 'event', event: { type: 'closed', connectionId: 'a', reason: 'timeout' } });
    await accept('d', 's1');
    expect(processes[0]?.requests('accept').map(({ request }) => request.connectionId)).toEqual(['a', 'd']);
    expect(events).toEqual([{ type: 'closed', connectionId: 'a', reason: 'timeout' }]);
  });

  it('rejects with the worker’s MediaError, and the connection is free again', async () => {
    const { pool, processes, accept } = await started(1);
    const refused = pool.accept(offerOf('a', 's'));
    processes[0]?.say({ type: 'rejected', requestId: 1, code: 'INVALID_OFFER', message: 'no' });
    await expect(refused).rejects.toMatchObject({ name: 'MediaError', code: 'INVALID_OFFER', message: 'no' });
    await expect(accept('a')).resolves.toMatchObject({ answer: 'answer to a' });
  });

  it('gives up after 5 s, and closes what the worker may still open', async () => {
    const { pool, processes } = await started(1);
    const late = expect(pool.accept(offerOf('a', 's'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await vi.advanceTimersByTimeAsync(5_000);
    await late;
    expect(processes[0]?.requests('close')).toEqual([{ type: 'close', connectionId: 'a' }]);
  });

  it('refuses a second connection of the same id', async () => {
    const { accept } = await started(1);
    await accept('a');
    await expect(accept('a')).rejects.toThrow('connection a exists already');
  });
});

describe('events', () => {
  it('reach every listener, also when one fails', async () => {
    const { pool, processes, accept, lines } = await started(1);
    pool.on(() => {
      throw new Error('broken');
    });
    const heard: MediaEvent[] = [];
    pool.on((event) => heard.push(event));
    await accept('a');
    processes[0]?.say({ type: 'event', event: { type: 'connected', connectionId: 'a' } });
    expect(heard).toEqual([{ type: 'connected', connectionId: 'a' }]);
    expect(lines).toContain('a listener for media events failed');
  });

  it('come from close, which the worker answers, and never for unknown connections', async () => {
    const { pool, processes, accept, events } = await started(1);
    await accept('a');
    pool.close('a');
    pool.close('nobody');
    expect(processes[0]?.requests('close')).toHaveLength(1);
    processes[0]?.say({ type: 'event', event: { type: 'closed', connectionId: 'a', reason: 'requested' } });
    processes[0]?.say({ type: 'event', event: { type: 'closed', connectionId: 'a', reason: 'requested' } });
    expect(events).toHaveLength(1);
  });
});

describe('a worker that ends', () => {
  it('loses its connections and nobody else’s, and refuses what it had not answered', async () => {
    const { pool, processes, accept, events, lines } = await started(2);
    await accept('a', 's1');
    await accept('b', 's2');
    const pending = expect(pool.accept(offerOf('c', 's1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    processes[0]?.exit('signal SIGSEGV');
    await pending;
    expect(events).toEqual([{ type: 'closed', connectionId: 'a', reason: 'worker-lost' }]);
    expect(lines).toContain('media worker ended: signal SIGSEGV');
    await accept('d', 's1');
    expect(processes[1]?.requests('accept').map(({ request }) => request.connectionId)).toEqual(['b', 'd']);
  });

  it('comes back on the same port after 100 ms, then later and later, up to 5 s', async () => {
    const { processes } = await started(1, () => 9_000);
    const delays = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000];
    for (const [index, delay] of delays.entries()) {
      processes[index]?.exit('exit code 1');
      await vi.advanceTimersByTimeAsync(delay - 1);
      expect(processes).toHaveLength(index + 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(processes).toHaveLength(index + 2);
    }
    expect(processes.at(-1)?.requests('start')[0]?.options.port).toBe(9_000);
  });

  it('comes back soon again when it ran for 30 s', async () => {
    const { processes } = await started(1);
    for (let i = 0; i < 3; i++) {
      processes[i]?.exit('exit code 1');
      await vi.advanceTimersByTimeAsync(1_000);
    }
    const running = setInterval(() => processes[3]?.say(pulse), 1_000);
    await vi.advanceTimersByTimeAsync(30_000);
    clearInterval(running);
    processes[3]?.exit('exit code 1');
    await vi.advanceTimersByTimeAsync(100);
    expect(processes).toHaveLength(5);
  });

  it('is tried again when it cannot listen at once', async () => {
    const { processes, lines, accept } = await started(1, (index) => (index === 1 ? 'UDP port 7071 is in use' : 7_071));
    processes[0]?.exit('exit code 1');
    await expect(accept('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await vi.advanceTimersByTimeAsync(100);
    expect(lines).toContain('media worker does not start again: UDP port 7071 is in use');
    await vi.advanceTimersByTimeAsync(200);
    await expect(accept('a')).resolves.toBeDefined();
  });

  it('is killed when it hangs: 15 s without a pulse', async () => {
    const { processes, lines } = await started(1);
    await vi.advanceTimersByTimeAsync(14_000);
    processes[0]?.say(pulse);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(processes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(lines).toContain('media worker gave no sign of life for 15 seconds: killed');
    expect(processes).toHaveLength(2);
  });
});

describe('a stage larger than a worker', () => {
  const subscriberOf = (connectionId: string, participantId: string): AcceptRequest => ({
    ...offerOf(connectionId, 'stage'),
    participantId,
    role: 'subscribe',
    publisherConnectionId: 'pub',
  });

  /** A publisher in the first worker, which then tells how busy it is. */
  async function published(cpu: number) {
    const setup = await started(2);
    await setup.accept('pub');
    setup.processes[0]?.say({ type: 'pulse', load: { cpu, loopDelayMs: 0 } });
    const subscribe = async (connectionId: string, participantId = connectionId) => {
      const accepting = setup.pool.accept(subscriberOf(connectionId, participantId));
      for (const process of setup.processes) process.acceptAll();
      await accepting;
    };
    const requests = (index: number) =>
      setup.processes[index]?.requests('accept').filter(({ request }) => request.role === 'subscribe') ?? [];
    return { ...setup, subscribe, requests };
  }

  it('keeps its subscribers together while there is room', async () => {
    const { subscribe, requests } = await published(0.5);
    await subscribe('a');
    expect(requests(0)).toHaveLength(1);
    expect(requests(0)[0]?.relay).toBeUndefined();
  });

  it('lets others subscribe elsewhere, and says where the publisher is', async () => {
    const { subscribe, requests } = await published(0.9);
    await subscribe('a');
    expect(requests(0)).toEqual([]);
    expect(requests(1)[0]?.relay).toEqual({
      address: relayOf(7_071),
      identity: { stageId: 'stage', connectionId: 'pub', participantId: 'p' },
      tracks,
    });
  });

  it('has all subscriptions of a participant in one worker', async () => {
    const { processes, subscribe, requests } = await published(0.9);
    await subscribe('a', 'viewer');
    processes[0]?.say({ type: 'pulse', load: { cpu: 0, loopDelayMs: 0 } });
    await subscribe('b', 'viewer');
    await subscribe('c', 'other');
    expect(requests(1).map(({ request }) => request.connectionId)).toEqual(['a', 'b']);
    expect(requests(0).map(({ request }) => request.connectionId)).toEqual(['c']);
  });

  it('loses only those of a worker that ends', async () => {
    const { processes, subscribe, events } = await published(0.9);
    await subscribe('a');
    processes[1]?.exit('exit code 1');
    await vi.advanceTimersByTimeAsync(0);
    expect(events).toEqual([{ type: 'closed', connectionId: 'a', reason: 'worker-lost' }]);
  });
});

describe('what a worker says', () => {
  it('goes to the log, its stderr at most ten lines a second', async () => {
    const { processes, lines } = await started(1);
    processes[0]?.say({ type: 'log', level: 'warn', fields: {}, message: 'overloaded' });
    expect(lines).toEqual(['overloaded']);
    for (let i = 0; i < 50; i++) processes[0]?.complain(`line ${i}`);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toBe('messages withheld in one second: 40');
  });
});

describe('statistics', () => {
  it('come from every worker that answers within 5 s', async () => {
    const { pool, processes } = await started(2);
    const asked = pool.statistics();
    const statistics = {
      usage: { uptimeMs: 9_000, userCpuMs: 20, systemCpuMs: 10, residentBytes: 5e7 },
      loopDelayMs: 3,
      cpu: 0.5,
      loopDelay: { p50Ms: 0, p99Ms: 2, maxMs: 3 },
      relayed: { sent: 0, received: 0, dropped: 0 },
      connections: [],
    };
    processes[0]?.say({ type: 'statistics', requestId: 1, statistics });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await asked).toEqual({ workers: [{ pid: 100, port: 7_071, ...statistics }] });
  });
});

describe('shutdown', () => {
  it('ends all workers without events or restarts', async () => {
    const { pool, processes, accept, events } = await started(2);
    await accept('a');
    await pool.shutdown();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(events).toEqual([]);
    expect(processes).toHaveLength(2);
    await expect(accept('b')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('kills a worker that does not end within 3 s', async () => {
    const { pool, processes } = await started(1);
    const [stubborn] = processes;
    const killed = vi.fn(() => stubborn?.exit('signal SIGKILL'));
    if (stubborn) Object.assign(stubborn, { send: () => {}, kill: killed });
    const done = pool.shutdown();
    await vi.advanceTimersByTimeAsync(2_999);
    expect(killed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(killed).toHaveBeenCalledOnce();
    await done;
  });

  it('waits for a worker that is being started again, and ends it', async () => {
    const { pool, processes } = await started(1, (index) => (index === 0 ? 7_071 : undefined));
    processes[0]?.exit('exit code 1');
    await vi.advanceTimersByTimeAsync(100);
    const done = pool.shutdown();
    processes[1]?.say({ type: 'ready', port: 7_071, relay: relayOf(7_071) });
    await done;
    expect(processes[1]?.requests('shutdown')).toHaveLength(1);
  });
});
