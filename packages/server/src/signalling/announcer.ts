import type { EventsSocket } from './participant.ts';

/** A pause of this many times what sending took follows it: one kind of message takes at most a fifth of the event loop's time. */
const pauseShare = 4;
/** What takes no longer than this, in milliseconds, needs no pause. */
const quick = 5;

/** Tells all sockets of a stage what is new, soon but never too often: what changes meanwhile is told with it. */
export class Announcer {
  private readonly sockets: () => Iterable<EventsSocket>;
  private readonly frame: () => string | undefined;
  private due = false;
  private notBefore = 0;

  /** `frame` is asked for when it is time; undefined when there is nothing new to tell. */
  constructor(sockets: () => Iterable<EventsSocket>, frame: () => string | undefined) {
    this.sockets = sockets;
    this.frame = frame;
  }

  soon(): void {
    if (this.due) return;
    this.due = true;
    const wait = this.notBefore - performance.now();
    // Several changes of one turn of the event loop make one message.
    if (wait <= 0) setImmediate(() => this.tell());
    else setTimeout(() => this.tell(), wait);
  }

  private tell(): void {
    this.due = false;
    const started = performance.now();
    const text = this.frame();
    if (text === undefined) return;
    // One copy of the bytes, however many sockets keep them until their clients have read.
    const frame = Buffer.from(text);
    for (const socket of this.sockets()) socket.send(frame);
    const ended = performance.now();
    const took = ended - started;
    if (took > quick) this.notBefore = ended + took * pauseShare;
  }
}
