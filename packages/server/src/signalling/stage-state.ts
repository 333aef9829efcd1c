import { describeParticipant, type EventsSocket, isVisible, type Participant } from './participant.ts';

/** A pause of this many times what sending took follows it: a stage takes at most a fifth of the event loop's time. */
const pauseShare = 4;
/** What takes no longer than this, in milliseconds, needs no pause. */
const quick = 5;

/** Who is on a stage, as STAGE_STATE messages tell it: always all of it, to all sockets, when something that shows has changed. */
export class StageState {
  private readonly stageId: string;
  private readonly sockets: () => Iterable<EventsSocket>;
  private readonly shown = new Set<Participant>();
  /** JSON of those that are shown; undefined once it may be out of date. */
  private list: string | undefined;
  private told = '';
  private sequenceNumber = 0;
  private due = false;
  private notBefore = 0;

  constructor(stageId: string, sockets: () => Iterable<EventsSocket>) {
    this.stageId = stageId;
    this.sockets = sockets;
  }

  /** Something about the participant may be different: whoever it shows to is told soon. */
  changed(participant: Participant): void {
    if (isVisible(participant)) this.shown.add(participant);
    else if (!this.shown.delete(participant)) return;
    this.list = undefined;
    if (this.due) return;
    this.due = true;
    const wait = this.notBefore - performance.now();
    // Several changes of one turn of the event loop make one message.
    if (wait <= 0) setImmediate(() => this.tell());
    else setTimeout(() => this.tell(), wait);
  }

  /** The frame as of now. Sequence numbers start above 0 and rise; a client ignores a frame otherwise. */
  frame(): string {
    this.sequenceNumber += 1;
    const [stageId, number] = [JSON.stringify(this.stageId), this.sequenceNumber];
    return `{"type":"STAGE_STATE","payload":{"stageId":${stageId},"sequenceNumber":${number},"participants":${this.participants()}}}`;
  }

  private participants(): string {
    this.list ??= JSON.stringify([...this.shown].map(describeParticipant));
    return this.list;
  }

  private tell(): void {
    this.due = false;
    const started = performance.now();
    const list = this.participants();
    if (list === this.told) return;
    this.told = list;
    // One copy of the bytes, however many sockets keep them until their clients have read.
    const frame = Buffer.from(this.frame());
    for (const socket of this.sockets()) socket.send(frame);
    const ended = performance.now();
    const took = ended - started;
    if (took > quick) this.notBefore = ended + took * pauseShare;
  }
}
