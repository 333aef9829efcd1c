// The watch page: a tile for each participant that publishes.
//
// For tests: the page is driven by these ids and read by these attributes.
//   #token-form, #token, its submit button      the token, when it is not in the fragment (#token=…)
//   #status[data-state]                         idle | connecting | connected | reconnecting | ended
//   #problem[data-code], hidden when all is well
//   #unmute                                     hidden while sound is on or nothing plays
//   #empty                                      hidden while somebody publishes
//   #tiles .tile[data-participant-id]           one for each publisher but oneself
//     [data-state]                              connecting | live | retrying | failed; [data-code] of the last problem
//     [data-first-frame-ms]                     from the first subscribe request to the first frame shown
//     [data-frames-decoded|data-audio-energy|data-bitrate-kbps|data-width|data-height|data-fps|data-loss-percent|data-codec],
//                                               each second
//     [data-audio-muted|data-video-stopped|data-speaking]
//     [data-layer|data-layers|data-layer-automatic]  of a publisher with several layers
//     .quality select                              value "" is automatic, any other a layer

import { LayerChoice } from './layers.ts';
import { byId, clearProblem, nameOf, onToken, showIdentity, showProblem, showStatus } from './page.ts';
import {
  backOff,
  createConnection,
  describeFigures,
  type Exchange,
  ExchangeError,
  type Participant,
  prepareConnections,
  StageEvents,
  StatisticsReader,
  subscribe,
} from './stage-client.ts';
import type { Token } from './token.ts';
import { explain } from './words.ts';

const statisticsInterval = 1000;

type TileState = 'connecting' | 'live' | 'retrying' | 'failed';

/** One publisher: its subscription, kept up until the tile is removed. */
class Tile {
  readonly element: HTMLElement;
  readonly #video: HTMLVideoElement;
  readonly #token: Token;
  readonly #participantId: string;
  readonly #started = performance.now();
  #exchange: Exchange | undefined;
  #layers: LayerChoice | undefined;
  #statistics: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  /** Raised with each attempt and at the end, so that what was begun before knows that it is late. */
  #generation = 0;

  constructor(token: Token, participant: Participant) {
    this.#token = token;
    this.#participantId = participant.id;
    const template = byId<HTMLTemplateElement>('tile');
    this.element = template.content.firstElementChild!.cloneNode(true) as HTMLElement;
    this.element.dataset.participantId = participant.id;
    this.#video = this.element.querySelector('video')!;
    this.#video.requestVideoFrameCallback(() => {
      this.element.dataset.firstFrameMs = String(Math.round(performance.now() - this.#started));
    });
    this.update(participant);
    void this.#connect('connecting');
  }

  /** Shows what the events socket says of the participant. */
  update(participant: Participant): void {
    const { audioMuted, videoStopped } = participant;
    this.element.dataset.audioMuted = String(audioMuted);
    this.element.dataset.videoStopped = String(videoStopped);
    this.#part('.name').textContent = nameOf(participant);
    this.#part('.name').title = participant.id;
    this.#part('.badges').textContent = [audioMuted ? 'Muted' : '', videoStopped ? 'Camera off' : '']
      .filter(Boolean)
      .join(' · ');
  }

  set speaking(speaking: boolean) {
    this.element.dataset.speaking = String(speaking);
  }

  /** Lets the participant be heard or not; false when the browser wants a click first. */
  async setSound(on: boolean): Promise<boolean> {
    this.#video.muted = !on;
    try {
      await this.#video.play();
      return true;
    } catch (error) {
      return !(error instanceof Error && error.name === 'NotAllowedError');
    }
  }

  remove(): void {
    this.#hangUp();
    this.element.remove();
  }

  async #connect(state: TileState): Promise<void> {
    this.#hangUp();
    this.#set(state);
    const generation = this.#generation;
    const stream = new MediaStream();
    try {
      const connection = await createConnection(this.#token);
      connection.addEventListener('track', ({ track }) => stream.addTrack(track));
      const exchange = await subscribe(this.#token, this.#participantId, connection);
      if (generation !== this.#generation) {
        exchange.close();
        return;
      }
      this.#exchange = exchange;
      this.#video.srcObject = stream;
      const { layersUrl } = exchange;
      if (layersUrl !== undefined) this.#layers = new LayerChoice(this.element, this.#token, layersUrl);
      this.#watch(connection);
    } catch (error) {
      if (generation === this.#generation) this.#failed(error);
    }
  }

  #watch(connection: RTCPeerConnection): void {
    const check = () => {
      if (this.#exchange?.connection !== connection) return;
      if (connection.connectionState === 'connected') {
        this.#attempt = 0;
        this.#set('live');
      }
      if (connection.connectionState === 'failed') this.#failed(new ExchangeError('MEDIA_FAILED', '', true));
    };
    connection.addEventListener('connectionstatechange', check);
    check();
    const statistics = new StatisticsReader(connection, 'inbound-rtp');
    this.#statistics = setInterval(() => void this.#showStatistics(statistics), statisticsInterval);
  }

  async #showStatistics(reader: StatisticsReader): Promise<void> {
    const figures = await reader.read();
    this.#part('.stats').textContent = describeFigures(figures);
    const { dataset } = this.element;
    dataset.framesDecoded = String(figures.framesDecoded);
    dataset.audioEnergy = String(figures.audioEnergy);
    dataset.bitrateKbps = String(figures.bitrateKbps);
    dataset.width = String(figures.width ?? '');
    dataset.height = String(figures.height ?? '');
    dataset.fps = String(figures.framesPerSecond ?? '');
    dataset.lossPercent = figures.lossPercent.toFixed(1);
    dataset.codec = figures.codec ?? '';
  }

  /** What may pass is tried again, ever more slowly; a refusal stays on the tile. */
  #failed(error: unknown): void {
    const failure = error instanceof ExchangeError ? error : new ExchangeError('MEDIA_FAILED', String(error), false);
    this.#hangUp();
    this.element.dataset.code = failure.code;
    this.#set(failure.retry ? 'retrying' : 'failed', failure);
    if (!failure.retry) return;
    this.#attempt += 1;
    this.#retry = setTimeout(() => void this.#connect('retrying'), backOff(this.#attempt));
  }

  #hangUp(): void {
    this.#generation += 1;
    clearTimeout(this.#retry);
    clearInterval(this.#statistics);
    this.#layers?.stop();
    this.#layers = undefined;
    this.#exchange?.close();
    this.#exchange = undefined;
  }

  #set(state: TileState, failure?: ExchangeError): void {
    this.element.dataset.state = state;
    const note = this.#part('.frame-note');
    if (state === 'connecting') note.textContent = 'Connecting …';
    if (state === 'live') note.textContent = '';
    if (!failure) return;
    const { what, next } = explain(failure.code, failure.message);
    note.textContent = `${what} ${failure.retry ? 'Trying again …' : next}`;
  }

  #part(selector: string): HTMLElement {
    return this.element.querySelector<HTMLElement>(selector)!;
  }
}

/** All tiles, and whether they are heard. */
class Wall {
  readonly #tiles = new Map<string, Tile>();
  readonly #token: Token;
  #speakers: readonly string[] = [];
  /** A page that was clicked may sound at once; any other starts muted, as browsers want it. */
  #sound = navigator.userActivation.hasBeenActive;

  constructor(token: Token) {
    this.#token = token;
    byId('unmute').addEventListener('click', () => {
      this.#sound = true;
      this.#applySound();
    });
  }

  /** Brings the tiles in line with who publishes. */
  show(participants: readonly Participant[]): void {
    const publishing = participants.filter(({ id, isPublishing }) => isPublishing && id !== this.#token.participantId);
    const ids = new Set(publishing.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (ids.has(id)) continue;
      tile.remove();
      this.#tiles.delete(id);
    }
    for (const participant of publishing) {
      const tile = this.#tiles.get(participant.id);
      if (tile) tile.update(participant);
      else this.#add(participant);
    }
    byId('empty').hidden = this.#tiles.size > 0;
    byId('tiles').dataset.count = String(this.#tiles.size);
    this.#showButton();
  }

  /** Marks those who speak. */
  showSpeakers(participantIds: readonly string[]): void {
    this.#speakers = participantIds;
    for (const [id, tile] of this.#tiles) tile.speaking = participantIds.includes(id);
  }

  /** Hangs up on everyone. */
  clear(): void {
    for (const tile of this.#tiles.values()) tile.remove();
    this.#tiles.clear();
    this.#showButton();
  }

  #add(participant: Participant): void {
    const tile = new Tile(this.#token, participant);
    tile.speaking = this.#speakers.includes(participant.id);
    this.#tiles.set(participant.id, tile);
    byId('tiles').append(tile.element);
    this.#applySound();
  }

  #applySound(): void {
    for (const tile of this.#tiles.values()) {
      void tile.setSound(this.#sound).then((allowed) => {
        if (allowed || !this.#sound) return;
        this.#sound = false;
        this.#applySound();
      });
    }
    this.#showButton();
  }

  #showButton(): void {
    byId('unmute').hidden = this.#sound || this.#tiles.size === 0;
  }
}

function prepareEmptyState(token: Token): void {
  byId('empty-command').textContent =
    `footlights ivs-realtime create-participant-token \\\n    --stage-arn ${token.stageArn} \\\n    --user-id alice`;
}

function enter(token: Token): void {
  showIdentity(token);
  if (!token.maySubscribe) {
    showProblem('CANNOT_SUBSCRIBE');
    return;
  }
  prepareEmptyState(token);
  prepareConnections(token);
  const wall = new Wall(token);
  const events = new StageEvents(token, {
    onStatus: showStatus,
    onParticipants: (participants) => {
      clearProblem();
      wall.show(participants);
    },
    onSpeakers: (participantIds) => wall.showSpeakers(participantIds),
    onEnded: (code, message) => {
      wall.clear();
      byId('empty').hidden = true;
      showProblem(code, message);
    },
  });
  window.addEventListener('pagehide', () => {
    wall.clear();
    events.close();
  });
}

onToken(enter);
