import type { TransportHost } from './transport.ts';

/** The host of a process without subscribers: nobody is sent anything from here. */
export const noTransports: TransportHost = {
  open: () => Promise.resolve(0),
  create() {
    throw new Error('this process has no WebRTC transports');
  },
  fanOut() {},
  shutdown() {},
};
