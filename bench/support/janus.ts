// Janus (https://janus.conf.meetecho.com) as a server under test: its streaming plugin gives plain RTP, sent to it on this
// machine, to viewers. Its configuration and log are in a temporary folder.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type FanOutServer, PUBLISHER } from './fan-out.ts';
import { cpuTimes } from './machine.ts';
import type { ServerSample } from './measure.ts';
import { payloadTypes, type Stream } from './packet-source.ts';
import type { PeerProcess } from './peers.ts';

const MOUNTPOINT = 1;
const START_TIMEOUT_MS = 10_000;

/** True when the program is there. */
export const isInstalled = () => spawnSync('janus', ['--help']).error === undefined;

export interface JanusOptions {
  /** Where it and the viewers meet; loopback addresses are none that it takes. */
  address: string;
  /** Threads that share the viewers; absent: its default, one for each. */
  eventLoops?: number;
}

/** What Janus says over its WebSocket, as much of it as matters here. */
interface Message {
  janus: string;
  transaction?: string;
  sender?: number;
  data?: { id: number };
  jsep?: { type: string; sdp: string };
  error?: { reason: string };
  plugindata?: { data?: { error?: string } };
}

export class Janus implements FanOutServer {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #address: string;
  readonly #rtpPort: number;
  readonly #session: Session;

  private constructor(child: ChildProcess, folder: string, address: string, rtpPort: number, session: Session) {
    this.pid = child.pid ?? 0;
    this.#process = child;
    this.#folder = folder;
    this.#address = address;
    this.#rtpPort = rtpPort;
    this.#session = session;
  }

  static async start(options: JanusOptions): Promise<Janus> {
    const folder = mkdtempSync(join(tmpdir(), 'footlights-janus-'));
    const [apiPort, rtpPort] = [await freeTcpPort(), await freeUdpPort()];
    writeConfiguration(folder, options, apiPort, rtpPort);
    const log = join(folder, 'janus.log');
    const child = spawn('janus', [`--configs-folder=${folder}`, `--log-file=${log}`, '--disable-stdout'], {
      stdio: 'ignore',
    });
    try {
      const session = await Session.open(`ws://127.0.0.1:${apiPort}`, child);
      return new Janus(child, folder, options.address, rtpPort, session);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`Janus did not start: ${String(error)}\n${readFileSync(log, 'utf8').slice(-2_000)}`);
    }
  }

  /** Plain RTP needs no connection. */
  async connectPublisher(): Promise<void> {}

  async connectViewer(peers: PeerProcess, id: string, counted: boolean): Promise<void> {
    const handle = await this.#session.attach();
    const offer = await this.#session.offer(handle, { request: 'watch', id: MOUNTPOINT });
    const options = { id, role: 'subscribe', kinds: ['video'], address: this.#address, counted, offer } as const;
    const answer = await peers.describe(options);
    await this.#session.message(handle, { request: 'start' }, { type: 'answer', sdp: answer });
    await peers.opened(id);
  }

  send(peers: PeerProcess, stream: Stream): void {
    peers.sendPlain(PUBLISHER, stream, '127.0.0.1', this.#rtpPort);
  }

  async sample(): Promise<ServerSample> {
    return { atMs: performance.now(), ...cpuTimes(this.pid) };
  }

  async stop(): Promise<void> {
    const exit = once(this.#process, 'exit');
    this.#session.close();
    this.#process.kill('SIGKILL');
    await exit;
    rmSync(this.#folder, { recursive: true });
  }
}

/** A session of Janus's API (its documentation, "WebSockets Interface"). */
class Session {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, { until: (message: Message) => boolean; done: (message: Message) => void }>();
  #id = 0;
  #transactions = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (text) => this.#hear(JSON.parse(String(text))));
  }

  static async open(url: string, child: ChildProcess): Promise<Session> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const socket = new WebSocket(url, 'janus-protocol');
      try {
        await once(socket, 'open');
        const session = new Session(socket);
        session.#id = (await session.#ask({ janus: 'create' })).data?.id ?? 0;
        return session;
      } catch (error) {
        if (performance.now() > deadline || child.exitCode !== null) throw error;
        await sleep(50);
      }
    }
  }

  async attach(): Promise<number> {
    const reply = await this.#ask({ janus: 'attach', plugin: 'janus.plugin.streaming', session_id: this.#id });
    return reply.data?.id ?? 0;
  }

  async offer(handle: number, body: object): Promise<string> {
    const { jsep } = await this.message(handle, body);
    if (!jsep) throw new Error('Janus made no offer');
    return jsep.sdp;
  }

  /** Resolves with the plugin's event, which follows the acknowledgement. */
  message(handle: number, body: object, jsep?: { type: string; sdp: string }): Promise<Message> {
    const request = { janus: 'message', session_id: this.#id, handle_id: handle, body, ...(jsep && { jsep }) };
    return this.#ask(request, ({ janus }) => janus !== 'ack');
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(request: object, until: (message: Message) => boolean = () => true): Promise<Message> {
    const transaction = String(++this.#transactions);
    const reply = await new Promise<Message>((done) => {
      this.#waiting.set(transaction, { until, done });
      this.#socket.send(JSON.stringify({ ...request, transaction }));
    });
    const problem = reply.error?.reason ?? reply.plugindata?.data?.error;
    if (problem !== undefined) throw new Error(`Janus refused ${JSON.stringify(request)}: ${problem}`);
    return reply;
  }

  #hear(message: Message): void {
    const waiting = this.#waiting.get(message.transaction ?? '');
    if (!waiting?.until(message)) return;
    this.#waiting.delete(message.transaction ?? '');
    waiting.done(message);
  }
}

function writeConfiguration(folder: string, options: JanusOptions, apiPort: number, rtpPort: number): void {
  const files = {
    'janus.jcfg': mainConfiguration(options),
    'janus.transport.websockets.jcfg': `general: { ws = true; ws_ip = "127.0.0.1"; ws_port = ${apiPort} }`,
    'janus.plugin.streaming.jcfg': `bench: {
      type = "rtp"; id = ${MOUNTPOINT}; audio = false; video = true
      videoiface = "127.0.0.1"; videoport = ${rtpPort}; videopt = ${payloadTypes.video}; videocodec = "vp8"
    }`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** Of the plugins the one that is needed; a session without an end; candidates at one address. */
function mainConfiguration({ address, eventLoops }: JanusOptions): string {
  const libraries = (names: string) => names.replace(/\w+/g, 'libjanus_$&.so').replaceAll(' ', ',');
  const plugins = 'audiobridge duktape echotest lua nosip recordplay sip textroom videocall videoroom voicemail';
  return `
    general: { debug_level = 3; session_timeout = 0${eventLoops === undefined ? '' : `; event_loops = ${eventLoops}`} }
    nat: { ice_enforce_list = "${address}" }
    plugins: { disable = "${libraries(plugins)}" }
    transports: { disable = "${libraries('http mqtt nanomsg pfunix rabbitmq')}" }
    events: { broadcast = false }
  `;
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
