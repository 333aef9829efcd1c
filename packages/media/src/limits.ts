// Every bound of a worker, in one place: what peers send can cost no more than this.

/** Connections of one worker. */
export const MAX_CONNECTIONS = 5_000;
/** SSRCs that one publisher may use, retransmission and ignored layers included. */
export const MAX_SSRCS_PER_PUBLISHER = 32;
/**
 * SSRCs that one peer may use in all its time, for media and for reports; one more ends its connection. The native library keeps a
 * stream with keys for each and looks through all of them for every packet, on a thread that all peers share. Browsers use about
 * ten, and a new one now and then.
 */
export const MAX_SSRCS_PER_CONNECTION = 1_000;
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

/**
 * A subscriber that joins is given the group of pictures so far, when it is no longer and no older than this; of a publisher that
 * cannot be asked for a key frame, as much as the cache holds.
 */
export const REPLAY = { packets: 300, ageMs: 2_000 };
export const REPLAY_WITHOUT_REQUESTS = { packets: 2_000, ageMs: 10_000 };

/** A packet that others have overtaken may still begin a key frame when it comes no later than this. */
export const REORDERED_MS = 50;
/** A layer that sends nothing for this time, while another one goes on, is left. */
export const STALLED_MS = 200;
/** How many frames of another layer show that it goes on. */
export const STALLED_FRAMES = 4;
/** Redundant ingest: an encoder of which sound or picture has not come for this time is left for another. */
export const REDUNDANT_STALL_MS = 500;
/** Simulcast layers of one track. */
export const MAX_LAYERS = 4;
/** What waits for its turn to a subscriber waits no longer than this; then it is dropped, and a key frame follows. */
export const MAX_QUEUE_MS = 1_000;
/** What a way is thought to carry before its feedback comes, in bits per second: with layers little, and more soon; else the one stream. */
export const START_ESTIMATE_BPS = 300_000;
export const START_ESTIMATE_OF_ONE_LAYER_BPS = 3_000_000;
export const MIN_ESTIMATE_BPS = 50_000;
export const MAX_ESTIMATE_BPS = 20_000_000;
/** Period in which queues are looked at, while there are any. */
export const PACE_MS = 5;

/** A peer that never connects is given up after this time. */
export const CONNECT_TIMEOUT_MS = 15_000;
/** A connected peer that sends nothing is gone after this time; ICE itself would need half a minute. */
export const SILENCE_TIMEOUT_MS = 10_000;
/** Who receives audio alone reports every 5 s or so, and not at all while nothing comes: here ICE is quicker. */
export const AUDIO_SILENCE_TIMEOUT_MS = 30_000;
/** While a worker is late, what came may not have been read yet: silence lasts so many times as long before it is an end. */
export const LATE_PATIENCE = 3;
/** A BYE ends the connection when nothing follows it for this time: a muted encoder says it too. */
export const BYE_GRACE_MS = 2_000;

/** Period of the worker's one timer. */
export const TICK_MS = 20;
/** A subscriber's layer and estimate are looked at this often. */
export const CHOICE_INTERVAL_MS = 100;
/** Who speaks is looked at this often. */
export const SPEAKERS_INTERVAL_MS = 400;
/** Reports, liveness and per-second budgets come round once in this time. */
export const REPORT_INTERVAL_MS = 1_000;
/** Transport-wide feedback goes to a publisher this often. */
export const FEEDBACK_INTERVAL_MS = 100;
/** At most one key frame request per layer in this time: a key frame costs the publisher many packets. */
export const KEY_FRAME_INTERVAL_MS = 500;
/**
 * At most one message with such requests per publisher in this time, whatever its layers. Browsers answer a request for one layer
 * with a key frame of each, and none that comes within 300 ms of the one before (libwebrtc's EncoderRtcpFeedback).
 */
export const KEY_FRAME_SPACING_MS = 300;
