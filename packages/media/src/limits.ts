// Every bound of a worker, in one place: what peers send can cost no more than this.

/** Connections of one worker. */
export const MAX_CONNECTIONS = 5_000;
/** SSRCs that one publisher may use, retransmission and ignored layers included. */
export const MAX_SSRCS_PER_PUBLISHER = 32;
/** RTP packets taken from a publisher per second, some 45 Mbit/s; later ones are dropped. */
export const MAX_RTP_PER_SECOND = 5_000;
/** RTCP datagrams handled per connection and second; later ones are dropped. */
export const MAX_RTCP_PER_SECOND = 400;
/** Sequence numbers that a subscriber may ask for again per second. */
export const MAX_NACKED_PER_SECOND = 2_000;
/** Packets sent again to a subscriber per second. */
export const MAX_RESENDS_PER_SECOND = 1_000;

/** Packets and bytes kept for retransmission per track of a publisher: about two seconds at 8 Mbit/s. */
export const VIDEO_CACHE = { packets: 2_048, bytes: 2 * 1_024 * 1_024 };
export const AUDIO_CACHE = { packets: 256, bytes: 64 * 1_024 };

/** A subscriber that joins is given the group of pictures so far, when it is no longer and no older than this. */
export const MAX_REPLAYED_PACKETS = 300;
export const MAX_REPLAY_AGE_MS = 2_000;

/** A peer that never connects is given up after this time. */
export const CONNECT_TIMEOUT_MS = 15_000;
/** A connected peer that sends nothing is gone after this time; ICE itself would need half a minute. */
export const SILENCE_TIMEOUT_MS = 10_000;
/** Who receives audio alone reports every 5 s or so, and not at all while nothing comes: here ICE is quicker. */
export const AUDIO_SILENCE_TIMEOUT_MS = 30_000;
/** A BYE ends the connection when nothing follows it for this time: a muted encoder says it too. */
export const BYE_GRACE_MS = 2_000;

/** Period of the worker's one timer. */
export const TICK_MS = 20;
/** Reports, liveness and per-second budgets come round once in this time. */
export const REPORT_INTERVAL_MS = 1_000;
/** Transport-wide feedback goes to a publisher this often. */
export const FEEDBACK_INTERVAL_MS = 100;
/** At most one key frame request per track in this time: a key frame costs the publisher many packets. */
export const KEY_FRAME_INTERVAL_MS = 500;
