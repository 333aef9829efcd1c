// Every bound of a recording, in one place.

/** How long a missing packet is waited for: retransmissions come within it, or not in time for viewers either. */
export const REORDER_MS = 250;
/** Packets that wait for a missing one before them. */
export const MAX_HELD_PACKETS = 2_048;
/** Media is put in order this long after it was sampled: what comes later is lost to the recording. */
export const LATENCY_MS = 700;
/** How long a track's first sender report is waited for; then its packets' arrival tells the time. */
export const CLOCK_WAIT_MS = 4_000;
/** An encoder's first messages are late, for it has connected meanwhile: its second report, a second after the first, knows better. */
export const CLOCK_SETTLE_MS = 1_500;
/** How fast a correction of a track's time is made good: 5 ms a second, which nobody sees or hears. */
export const CLOCK_SLEW = 5 / 1_000;
/** A step ahead of more than this is time in which nothing was sampled. */
export const MAX_SLEWED_STEP_MS = 100;
/** How long sound waits for the first picture, when there is to be one. */
export const VIDEO_WAIT_MS = 3_000;
/** A segment with video whose pictures do not come is ended this long after its time; sound goes on alone. */
export const VIDEO_GONE_MS = 3_000;
/** A segment is ended after this time though no key frame came. */
export const MAX_SEGMENT_MS = 30_000;
/** Bytes of a segment after which pictures are left out until it ends. */
export const MAX_SEGMENT_BYTES = 64 * 1_024 * 1_024;
/** What a frame lasts at least, whatever its timestamps say. */
export const MIN_FRAME_MS = 1;
/** Frames that wait for their turn in one recording. */
export const MAX_QUEUED_UNITS = 2_000;
/** Key frames are asked for this often until one comes. */
export const KEY_FRAME_RETRY_MS = 500;
/** Period of the recorder's one timer. */
export const RECORD_TICK_MS = 50;
/** A timer that comes this late finds packets that were not read yet: they come first. */
export const LATE_TICK_MS = 150;

/** Bytes of one recording that wait for its sink in memory; those behind them wait on disk. */
export const MAX_HELD_BYTES = 8 * 1_024 * 1_024;
/** Bytes of one recording that are on their way to the disk. */
export const MAX_SPOOLING_BYTES = 32 * 1_024 * 1_024;
/** How long a sink that fails is waited for before a recording has started; then it cannot start. */
export const STORE_START_FOR_MS = 300_000;
/** How long an object is offered when the sink says that it will not take it. */
export const STORE_REFUSED_FOR_MS = 5_000;
/** How long one write may take. */
export const WRITE_TIMEOUT_MS = 30_000;
export const FIRST_STORE_DELAY_MS = 200;
export const LAST_STORE_DELAY_MS = 5_000;
/** How long a sink that fails is waited for after the end of a recording; then the recording has failed. */
export const STORE_END_FOR_MS = 600_000;

/** Bits a second of the sound, stereo. */
export const AUDIO_BPS = 128_000;
/** Bits a second of video that is encoded anew, at most. */
export const VIDEO_BPS = 2_500_000;
