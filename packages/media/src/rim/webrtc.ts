import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { sdp } from '@footlights/protocol';
import ndc from 'node-datachannel';
import { type Certificate, makeCertificate } from './certificate.ts';
import { writeFields } from './header.ts';
import { IceLitePort } from './ice-lite.ts';
import type {
  Destination,
  HostCandidate,
  LocalParameters,
  OutgoingPacket,
  RawTransport,
  RemoteParameters,
  TransportHost,
  TransportListener,
  TransportState,
} from './transport.ts';

export interface WebRtcOptions {
  listenIp: string;
  announceIps: readonly string[];
  /** 0 takes any free port. */
  port: number;
  /** For peers that answer no connectivity checks; 0 takes any free port. */
  litePort: number;
  /** Bounded by the host's maker; native code can be talkative. */
  warn(message: string): void;
}

type PeerConnection = InstanceType<typeof ndc.PeerConnection>;
type Track = InstanceType<typeof ndc.Track>;

/** Candidates beyond these help nobody, and some encoders stumble over many. */
const MAX_CANDIDATES = 4;
/** The highest usual one of a host candidate (RFC 8445 section 5.1.2.1). */
const HOST_PRIORITY = 2_130_706_431;
/** One step of local preference in a priority. */
const LOCAL_PREFERENCE = 256;
const WILDCARDS = ['0.0.0.0', '::'];

/** Transports over node-datachannel: one UDP port, one certificate, one media section of its own per peer. */
export class WebRtcHost implements TransportHost {
  readonly #options: WebRtcOptions;
  readonly #certificate: Certificate;
  /** The native objects end silently when they are collected, so all are held here. */
  readonly #transports = new Set<WebRtcTransport>();
  #port = 0;
  #listener: InstanceType<typeof ndc.IceUdpMuxListener> | undefined;
  #lite: IceLitePort | undefined;

  constructor(options: WebRtcOptions) {
    this.#options = options;
    this.#certificate = makeCertificate(new Date());
  }

  async open(): Promise<number> {
    const { listenIp, port, warn } = this.#options;
    ndc.initLogger('Error', (_level, message) => warn(message));
    this.#port = await freePort(listenIp, port);
    // The listener keeps the port while no connection is open.
    this.#listener = new ndc.IceUdpMuxListener(this.#port, listenIp);
    const lite = { listenIp, port: this.#options.litePort, agentPort: this.#port };
    this.#lite = await IceLitePort.open(lite).catch((error: Error) => {
      warn(`encoders that answer no connectivity checks will be lost after 30 s: ${error.message}`);
      return undefined;
    });
    return this.#port;
  }

  create(listener: TransportListener): RawTransport {
    const transport = new WebRtcTransport(
      this.#connect(),
      this.#certificate.fingerprintSha256,
      (native, port = this.#port) => this.#candidates(native, port),
      this.#lite,
      listener,
      { ended: () => this.#transports.delete(transport), warn: this.#options.warn },
    );
    this.#transports.add(transport);
    return transport;
  }

  fanOut(packet: OutgoingPacket, destinations: readonly Destination[], count: number): void {
    let plain: Buffer | undefined;
    for (let i = 0; i < count; i++) {
      const destination = destinations[i];
      if (!destination) break;
      const start = writeFields(packet, destination);
      if (start > 0) plain ??= packet.buffer.subarray(start);
      destination.transport.send(start === 0 ? packet.buffer : (plain ?? packet.buffer));
    }
  }

  shutdown(): void {
    for (const transport of [...this.#transports]) transport.close();
    this.#listener?.stop();
    this.#lite?.close();
    // Without it the native threads keep the process alive.
    ndc.cleanup();
  }

  #connect(): PeerConnection {
    return new ndc.PeerConnection('footlights', {
      iceServers: [],
      bindAddress: this.#options.listenIp,
      enableIceUdpMux: true,
      portRangeBegin: this.#port,
      portRangeEnd: this.#port,
      certificatePemFile: this.#certificate.certificatePem,
      keyPemFile: this.#certificate.keyPem,
    });
  }

  #candidates(native: HostCandidate[], port: number): HostCandidate[] {
    const { announceIps, listenIp } = this.#options;
    if (announceIps.length === 0 && native.length > 0)
      return native.slice(0, MAX_CANDIDATES).map((candidate) => ({ ...candidate, port }));
    const own = WILDCARDS.includes(listenIp) ? '127.0.0.1' : listenIp;
    const addresses = announceIps.length > 0 ? announceIps : [own];
    // Local preference is what orders an agent's own addresses (RFC 8445 section 5.1.2.1).
    return addresses.slice(0, MAX_CANDIDATES).map((address, index) => ({
      address,
      port,
      priority: HOST_PRIORITY - index * LOCAL_PREFERENCE,
    }));
  }
}

/** Those that peers are told, with another port than that of the connection. */
type Candidates = (native: HostCandidate[], port?: number) => HostCandidate[];

interface Owner {
  ended(): void;
  warn(message: string): void;
}

class WebRtcTransport implements RawTransport {
  readonly #peer: PeerConnection;
  readonly #track: Track;
  readonly #fingerprint: string;
  readonly #candidates: Candidates;
  readonly #lite: IceLitePort | undefined;
  readonly #listener: TransportListener;
  readonly #owner: Owner;
  #leaveLite: (() => void) | undefined;
  #state: TransportState = 'new';

  constructor(
    peer: PeerConnection,
    fingerprint: string,
    candidates: Candidates,
    lite: IceLitePort | undefined,
    listener: TransportListener,
    owner: Owner,
  ) {
    this.#peer = peer;
    this.#fingerprint = fingerprint;
    this.#candidates = candidates;
    this.#lite = lite;
    this.#listener = listener;
    this.#owner = owner;
    // With exactly one track the library hands over every packet, whatever its SSRC; a handler on it would eat RTCP.
    const video = new ndc.Video('0', 'SendRecv');
    video.addVP8Codec(96);
    this.#track = peer.addTrack(video);
    // Every callback is one more handle that libuv looks at for each packet of anybody, so there are as few as can be.
    this.#track.onMessage((packet) => this.#onPacket(packet));
    peer.onStateChange((state) => {
      if (state === 'connected') this.#awaitTrack();
      else if (state === 'failed' || state === 'closed') this.#advance(state);
    });
  }

  get state(): TransportState {
    return this.#state;
  }

  accept(remote: RemoteParameters): LocalParameters {
    // The answer is made by the library itself: an error in an explicit setLocalDescription ends the process.
    this.#peer.setRemoteDescription(remoteDescription(remote), 'offer');
    const parsed = sdp.parse(this.#peer.localDescription()?.sdp ?? '');
    const media = 'session' in parsed ? parsed.session.media[0] : undefined;
    if (!media?.iceUfrag || !media.icePwd) throw new Error('the transport gave no description of itself');
    const { iceUfrag, icePwd } = media;
    const lite = remote.answersChecks ? undefined : this.#lite;
    this.#leaveLite = lite?.admit({ iceUfrag, icePwd, remotePwd: remote.icePwd });
    return {
      iceUfrag,
      icePwd,
      iceLite: lite !== undefined,
      fingerprintSha256: this.#fingerprint,
      setup: media.setup === 'active' ? 'active' : 'passive',
      candidates: this.#candidates(media.candidates, lite?.port),
    };
  }

  send(packet: Buffer): boolean {
    if (this.#state !== 'connected') return false;
    try {
      return this.#track.sendMessageBinary(packet);
    } catch {
      // The native side closed and its event is still on the way.
      return false;
    }
  }

  close(): void {
    if (this.#state !== 'closed') this.#release();
  }

  #onPacket(packet: Buffer): void {
    if (this.#state !== 'connected') return;
    try {
      this.#listener.packet(packet);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** An error in a callback of the library ends the process: a defect of ours that one peer finds is to cost its connection alone. */
  #fail(error: unknown): void {
    this.#owner.warn(`a connection was ended, because it caused an error: ${stackOf(error)}`);
    this.#advance('failed');
  }

  /** The library opens the track right after it says that the connection stands, on another thread. */
  #awaitTrack(): void {
    // What comes after we closed the connection finds no track, and an error in a callback ends the process.
    if (this.#state !== 'new') return;
    if (!this.#track.isOpen()) quietly(() => this.#track.onOpen(() => this.#advance('connected')));
    if (this.#track.isOpen()) this.#advance('connected');
  }

  #advance(state: Exclude<TransportState, 'new'>): void {
    const { [state]: rank } = RANK;
    if (rank <= RANK[this.#state]) return;
    if (state === 'connected') this.#state = state;
    else this.#release();
    try {
      this.#listener.state(state);
    } catch (error) {
      this.#fail(error);
    }
  }

  #release(): void {
    this.#state = 'closed';
    this.#leaveLite?.();
    this.#owner.ended();
    quietly(() => this.#track.close());
    quietly(() => this.#peer.close());
  }
}

/** States are only left towards the end; nothing follows `failed` or `closed`. */
const RANK: Record<TransportState, number> = { new: 0, connected: 1, failed: 2, closed: 2 };

const stackOf = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Closing what the native side has closed already throws. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {}
}

/** The peer's parameters in the only shape that the library sees: one section that sends and receives. */
function remoteDescription({ iceUfrag, icePwd, fingerprintSha256, setup }: RemoteParameters): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=ice-ufrag:${iceUfrag}`,
    `a=ice-pwd:${icePwd}`,
    `a=fingerprint:sha-256 ${fingerprintSha256}`,
    // Where the peer leaves the choice we wait for its ClientHello.
    `a=setup:${setup === 'passive' ? 'passive' : 'active'}`,
    'a=rtcp-mux',
    'a=sendrecv',
    'a=rtpmap:96 VP8/90000',
    '',
  ].join('\r\n');
}

/** Tries the port, because the native library tells no reason when it cannot bind. */
function freePort(listenIp: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(listenIp) ? 'udp6' : 'udp4');
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(new Error(bindProblem(error, listenIp, port)));
    });
    socket.bind(port, listenIp, () => {
      const { port: bound } = socket.address();
      socket.close(() => resolve(bound));
    });
  });
}

function bindProblem(error: NodeJS.ErrnoException, listenIp: string, port: number): string {
  if (error.code === 'EADDRINUSE') return `UDP port ${port} is in use on ${listenIp}: choose another media port`;
  if (error.code === 'EACCES') return `UDP port ${port} needs more rights: choose a media port above 1023`;
  if (error.code === 'EADDRNOTAVAIL') return `${listenIp} is not an address of this machine: media cannot listen there`;
  return `media cannot listen on UDP port ${port} of ${listenIp}: ${error.message}`;
}
