import type { Speaker } from '@footlights/media';
import type { ServerMessage } from '@footlights/model';
import { Announcer } from './announcer.ts';
import type { EventsSocket } from './participant.ts';

/** Who speaks on a stage, those among them whom it shows as replicas: told to all sockets each time that it changes. */
export class ActiveSpeakers {
  private readonly stageId: string;
  private readonly announcer: Announcer;
  /** By the id of the stage whose media worker hears them, for each comes by itself. */
  private readonly heard = new Map<string, readonly Speaker[]>();
  private told = '[]';
  private sequenceNumber = 0;

  constructor(stageId: string, sockets: () => Iterable<EventsSocket>) {
    this.stageId = stageId;
    this.announcer = new Announcer(sockets, () => this.news());
  }

  /** Those who speak on `stageId`, in place of what was heard of it before. */
  set(stageId: string, speakers: readonly Speaker[]): void {
    if (speakers.length > 0) this.heard.set(stageId, speakers);
    else if (!this.heard.delete(stageId)) return;
    this.announcer.soon();
  }

  /** The participant publishes no more; a worker that was lost does not say that it is silent. */
  remove(participantId: string): void {
    for (const [stageId, speakers] of this.heard) {
      const others = speakers.filter((speaker) => speaker.participantId !== participantId);
      if (others.length < speakers.length) this.set(stageId, others);
    }
  }

  /** The loudest first. */
  list(): Speaker[] {
    return [...this.heard.values()].flat().sort((a, b) => b.level - a.level);
  }

  /** The frame as of now; undefined when nobody speaks. */
  frame(): string | undefined {
    return this.heard.size > 0 ? this.write(this.list()) : undefined;
  }

  private news(): string | undefined {
    const speakers = this.list();
    const text = JSON.stringify(speakers);
    if (text === this.told) return undefined;
    this.told = text;
    return this.write(speakers);
  }

  private write(speakers: Speaker[]): string {
    this.sequenceNumber += 1;
    const { stageId, sequenceNumber } = this;
    const message: ServerMessage = {
      type: 'footlights:ACTIVE_SPEAKERS',
      payload: { stageId, sequenceNumber, speakers },
    };
    return JSON.stringify(message);
  }
}
