import { Announcer } from './announcer.ts';
import { describeParticipant, type EventsSocket, isVisible, type Participant } from './participant.ts';

/** Who is on a stage, as STAGE_STATE messages tell it: always all of it, to all sockets, when something that shows has changed. */
export class StageState {
  private readonly stageId: string;
  private readonly announcer: Announcer;
  private readonly shown = new Set<Participant>();
  /** JSON of those that are shown; undefined once it may be out of date. */
  private list: string | undefined;
  private told = '';
  private sequenceNumber = 0;

  constructor(stageId: string, sockets: () => Iterable<EventsSocket>) {
    this.stageId = stageId;
    this.announcer = new Announcer(sockets, () => this.news());
  }

  /** Something about the participant may be different: whoever it shows to is told soon. */
  changed(participant: Participant): void {
    if (isVisible(participant)) this.shown.add(participant);
    else if (!this.shown.delete(participant)) return;
    this.list = undefined;
    this.announcer.soon();
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

  private news(): string | undefined {
    const list = this.participants();
    if (list === this.told) return undefined;
    this.told = list;
    return this.frame();
  }
}
