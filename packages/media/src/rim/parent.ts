/** The main process as its child sees it: what it is told, and what it says. */
export interface Parent<Told, Said> {
  send(message: Told): void;
  onMessage(listener: (message: Said) => void): void;
  /** The main process is gone, or let us go. */
  onGone(listener: () => void): void;
}

/** The channel that fork made; undefined when this process was started by hand. */
export function parentProcess<Told, Said>(): Parent<Told, Said> | undefined {
  if (!process.send) return undefined;
  // A terminal or a service manager signals every process of the group; the main process ends us in its own order.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
  return {
    send(message) {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => process.on('message', (message) => listener(message as Said)),
    onGone: (listener) => process.on('disconnect', listener),
  };
}
