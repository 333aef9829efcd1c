import type { FromWorker, ToWorker } from '../channel.ts';

/** The main process as its worker sees it. */
export interface Parent {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /** The main process is gone, or let us go. */
  onGone(listener: () => void): void;
}

/** The channel that fork made; undefined when this process was started by hand. */
export function parentProcess(): Parent | undefined {
  if (!process.send) return undefined;
  // A terminal or a service manager signals every process of the group; the main process ends us in its own order.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
  return {
    send(message) {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => process.on('message', (message) => listener(message as ToWorker)),
    onGone: (listener) => process.on('disconnect', listener),
  };
}
