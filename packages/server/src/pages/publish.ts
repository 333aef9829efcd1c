// The publish page: camera and microphone to a stage.
//
// For tests: the page is driven by these ids and read by these attributes.
//   #token-form, #token, its submit button      the token, when it is not in the fragment (#token=…)
//   #status[data-state]                         idle | connecting | connected | reconnecting | ended
//   #problem[data-code], hidden when all is well
//   #camera, #microphone, #codec                selects; value "" of a device is none
//   #simulcast                                  checkbox; a change publishes again
//   #publish[data-state]                        idle | starting | live | retrying; a click toggles
//   #live[data-state]                           the same, on the picture
//   #mute, #stop-video [aria-pressed]
//   #stats[data-bitrate-kbps|data-width|data-height|data-fps|data-round-trip-ms|data-codec|data-layers],
//                                               each second while live
//   #participants li[data-participant-id|data-publishing|data-audio-muted|data-video-stopped|data-speaking]

import { Devices, meterMicrophone } from './devices.ts';
import { byId, clearProblem, nameOf, onToken, showIdentity, showProblem, showStatus } from './page.ts';
import {
  backOff,
  createConnection,
  describeFigures,
  type Exchange,
  ExchangeError,
  type Participant,
  prepareConnections,
  publish,
  StageEvents,
  StatisticsReader,
} from './stage-client.ts';
import type { Token } from './token.ts';

const statisticsInterval = 1000;
/** The most that one picture of 720p needs, in bit/s; IVS takes up to 8.5 Mbit/s. */
const maxVideoBitrate = 2_500_000;
/** As IVS clients send it. */
const simulcastLayers: RTCRtpEncodingParameters[] = [
  { rid: 'low', scaleResolutionDownBy: 4, maxBitrate: 200_000 },
  { rid: 'mid', scaleResolutionDownBy: 2, maxBitrate: 700_000 },
  { rid: 'hi', scaleResolutionDownBy: 1, maxBitrate: maxVideoBitrate },
];

type PublicationState = 'idle' | 'starting' | 'live' | 'retrying';

/** The way of one's media to the stage: started, kept alive, stopped. */
class Publication {
  readonly #token: Token;
  readonly #devices: Devices;
  readonly #show: (state: PublicationState) => void;
  #state: PublicationState = 'idle';
  #exchange: Exchange | undefined;
  #statistics: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  /** Raised with each start and stop, so that what was begun before knows that it is late. */
  #generation = 0;

  constructor(token: Token, devices: Devices, show: (state: PublicationState) => void) {
    this.#token = token;
    this.#devices = devices;
    this.#show = show;
    devices.onChange((kind) => this.#replace(kind));
  }

  get wanted(): boolean {
    return this.#state !== 'idle';
  }

  start(): void {
    if (this.#devices.stream.getTracks().length === 0) {
      showProblem('NO_TRACKS');
      return;
    }
    clearProblem();
    this.#attempt = 0;
    void this.#connect('starting');
  }

  stop(): void {
    this.#hangUp();
    this.#set('idle');
  }

  /** What is published is offered anew. */
  restart(): void {
    if (this.wanted) this.start();
  }

  async #connect(state: PublicationState): Promise<void> {
    this.#hangUp();
    this.#set(state);
    const generation = this.#generation;
    try {
      const exchange = await publish(this.#token, this.#prepare(await createConnection(this.#token)));
      if (generation !== this.#generation) {
        exchange.close();
        return;
      }
      this.#exchange = exchange;
      this.#watch(exchange.connection);
    } catch (error) {
      if (generation === this.#generation) this.#failed(error);
    }
  }

  #prepare(connection: RTCPeerConnection): RTCPeerConnection {
    for (const kind of ['audio', 'video'] as const) {
      const track = this.#devices.track(kind);
      if (!track) continue;
      const transceiver = connection.addTransceiver(track, {
        direction: 'sendonly',
        streams: [this.#devices.stream],
        sendEncodings: kind === 'video' ? videoEncodings() : [{}],
      });
      if (kind === 'video') preferCodec(transceiver, byId<HTMLSelectElement>('codec').value);
    }
    return connection;
  }

  #watch(connection: RTCPeerConnection): void {
    const statistics = new StatisticsReader(connection, 'outbound-rtp');
    const check = () => {
      if (this.#exchange?.connection !== connection) return;
      if (connection.connectionState === 'connected') {
        this.#attempt = 0;
        clearProblem();
        this.#set('live');
      }
      if (connection.connectionState === 'failed') this.#failed(new ExchangeError('MEDIA_FAILED', '', true));
    };
    connection.addEventListener('connectionstatechange', check);
    check();
    this.#statistics = setInterval(() => void showStatistics(statistics), statisticsInterval);
  }

  /** What may pass is tried again, ever more slowly; a refusal ends the attempt. */
  #failed(error: unknown): void {
    const failure = error instanceof ExchangeError ? error : new ExchangeError('MEDIA_FAILED', String(error), false);
    this.#hangUp();
    showProblem(failure.code, failure.message);
    if (!failure.retry) {
      this.#set('idle');
      return;
    }
    this.#attempt += 1;
    this.#set('retrying');
    this.#retry = setTimeout(() => void this.#connect('retrying'), backOff(this.#attempt));
  }

  /** The same kind of media goes on over the same connection; a kind that was not offered needs a new one. */
  #replace(kind: 'audio' | 'video'): void {
    const connection = this.#exchange?.connection;
    if (!connection) return;
    const track = this.#devices.track(kind) ?? null;
    const transceiver = connection.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
    if (transceiver) void transceiver.sender.replaceTrack(track);
    else if (track) void this.#connect('starting');
  }

  #hangUp(): void {
    this.#generation += 1;
    clearTimeout(this.#retry);
    clearInterval(this.#statistics);
    this.#exchange?.close();
    this.#exchange = undefined;
    showNoStatistics();
  }

  #set(state: PublicationState): void {
    this.#state = state;
    this.#show(state);
  }
}

const videoEncodings = (): RTCRtpEncodingParameters[] =>
  byId<HTMLInputElement>('simulcast').checked ? simulcastLayers : [{ maxBitrate: maxVideoBitrate }];

/** Puts the chosen codec first, so that the server takes it when it can. */
function preferCodec(transceiver: RTCRtpTransceiver, name: string): void {
  if (name === '') return;
  const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const helpers = codecs.filter(({ mimeType }) => /rtx|red|ulpfec/i.test(mimeType));
  const chosen = codecs.filter(({ mimeType }) => mimeType.toUpperCase() === `VIDEO/${name}`);
  if (chosen.length > 0) transceiver.setCodecPreferences([...chosen, ...helpers]);
}

async function showStatistics(reader: StatisticsReader): Promise<void> {
  const figures = await reader.read();
  const element = byId('stats');
  element.textContent = describeFigures(figures);
  element.dataset.bitrateKbps = String(figures.bitrateKbps);
  element.dataset.width = String(figures.width ?? '');
  element.dataset.height = String(figures.height ?? '');
  element.dataset.fps = String(figures.framesPerSecond ?? '');
  element.dataset.roundTripMs = String(figures.roundTripMs ?? '');
  element.dataset.codec = figures.codec ?? '';
  element.dataset.layers = figures.layers.join(' ');
}

function showNoStatistics(): void {
  byId('stats').textContent = '\u00a0';
}

const publishWords: Record<PublicationState, [button: string, live: string]> = {
  idle: ['Publish', 'Off air'],
  starting: ['Cancel', 'Starting …'],
  live: ['Stop', 'Live'],
  retrying: ['Stop', 'Trying again …'],
};

function showPublication(state: PublicationState): void {
  const button = byId('publish');
  const live = byId('live');
  [button.textContent, live.textContent] = publishWords[state];
  button.dataset.state = state;
  button.classList.toggle('danger', state !== 'idle');
  live.dataset.state = state;
}

function showParticipants(participants: readonly Participant[], own: string): void {
  byId('participants').replaceChildren(...participants.map((participant) => participantRow(participant, own)));
  byId('nobody').hidden = participants.length > 0;
}

function showSpeakers(participantIds: readonly string[]): void {
  for (const row of byId('participants').children) {
    if (row instanceof HTMLElement)
      row.dataset.speaking = String(participantIds.includes(row.dataset.participantId ?? ''));
  }
}

function participantRow(participant: Participant, own: string): HTMLLIElement {
  const { id, isPublishing, audioMuted, videoStopped } = participant;
  const row = document.createElement('li');
  row.dataset.participantId = id;
  row.dataset.publishing = String(isPublishing);
  row.dataset.audioMuted = String(audioMuted);
  row.dataset.videoStopped = String(videoStopped);
  const name = document.createElement('span');
  name.textContent = nameOf(participant) + (id === own ? ' (you)' : '');
  name.title = id;
  const state = document.createElement('span');
  state.className = 'note';
  state.textContent = [isPublishing ? 'live' : '', audioMuted ? 'muted' : '', videoStopped ? 'no video' : '']
    .filter(Boolean)
    .join(', ');
  row.append(name, state);
  return row;
}

/** A button that is pressed or not; calls back with each change. */
function toggle(id: string, words: [off: string, on: string], change: (pressed: boolean) => void): () => boolean {
  const button = byId<HTMLButtonElement>(id);
  const pressed = (): boolean => button.getAttribute('aria-pressed') === 'true';
  button.addEventListener('click', () => {
    button.setAttribute('aria-pressed', String(!pressed()));
    button.textContent = words[pressed() ? 1 : 0];
    change(pressed());
  });
  return pressed;
}

function enableControls(enabled: boolean): void {
  for (const id of ['publish', 'mute', 'stop-video']) byId<HTMLButtonElement>(id).disabled = !enabled;
}

function enter(token: Token): void {
  showIdentity(token);
  if (!token.mayPublish) {
    showProblem('CANNOT_PUBLISH');
    return;
  }
  byId('studio').hidden = false;
  prepareConnections(token);
  const devices = new Devices();
  const publication = new Publication(token, devices, showPublication);
  let speakers: readonly string[] = [];
  const events = new StageEvents(token, {
    onStatus: showStatus,
    onParticipants: (participants) => {
      showParticipants(participants, token.participantId);
      showSpeakers(speakers);
    },
    onSpeakers: (participantIds) => {
      speakers = participantIds;
      showSpeakers(speakers);
    },
    onPublicationEnded: (code, message) => {
      publication.stop();
      showProblem(code, message);
    },
    onEnded: (code, message) => {
      publication.stop();
      enableControls(false);
      showParticipants([], token.participantId);
      byId('nobody').hidden = true;
      showProblem(code, message);
    },
  });
  const tell = () => events.setState({ audioMuted: muted(), videoStopped: stopped() });
  const muted = toggle('mute', ['Mute', 'Unmute'], (pressed) => {
    devices.enable('audio', !pressed);
    tell();
  });
  const stopped = toggle('stop-video', ['Stop video', 'Start video'], (pressed) => {
    devices.enable('video', !pressed);
    tell();
  });
  byId('publish').addEventListener('click', () => {
    if (publication.wanted) {
      publication.stop();
    } else {
      tell();
      publication.start();
    }
  });
  window.addEventListener('pagehide', () => {
    publication.stop();
    events.close();
  });
  byId('simulcast').addEventListener('change', () => publication.restart());
  byId('retry').addEventListener('click', () => void openDevices(devices));
  void openDevices(devices);
  meterMicrophone(devices);
}

async function openDevices(devices: Devices): Promise<void> {
  byId('retry').hidden = true;
  clearProblem();
  if (await devices.open()) enableControls(true);
}

showPublication('idle');
onToken(enter);
