// Every refusal in plain words: what happened, and what to do next.

/** What the page shows of a problem. */
export interface Words {
  what: string;
  next: string;
}

const newToken = 'Create a new one with “create-participant-token” and open the page with it.';
const again = 'Try again in a moment; the server’s log has the reason.';

const keys = '“footlights env” prints an access key and its secret, and they are in “credentials” of the data folder.';

const words: Record<string, Words> = {
  // Recordings.
  AccessDenied: { what: 'These keys may not read this bucket.', next: keys },
  InvalidAccessKeyId: { what: 'The server does not know this access key.', next: keys },
  SignatureDoesNotMatch: { what: 'The secret is not that of the access key.', next: keys },
  RequestTimeTooSkewed: {
    what: 'This machine’s clock is not that of the server.',
    next: 'Set the clock, and try again.',
  },
  NO_LOCAL_BUCKETS: {
    what: 'This server keeps its recordings in S3.',
    next: 'Read them there; this page shows the local buckets of a server without “--buckets s3”.',
  },
  NOT_SECURE: {
    what: 'Browsers let a page sign requests over HTTPS, or on the machine itself.',
    next: 'Start the server with “--tls-cert” and “--tls-key”, or open this page as http://localhost there.',
  },
  NETWORK: { what: 'The server does not answer.', next: 'Look whether it runs, and try again.' },
  PLAYBACK: { what: 'This recording does not play.', next: 'It may have only begun: try again in some seconds.' },
  // The token.
  TOKEN_MISSING: {
    what: 'A participant token is needed.',
    next: 'Paste one below, or open this page with #token=… at the end of its address.',
  },
  TOKEN_MALFORMED: {
    what: 'This is not a participant token.',
    next: 'Copy the whole value of “token” from the answer of “create-participant-token”.',
  },
  TOKEN_INVALID: { what: 'The server does not accept this token.', next: newToken },
  TOKEN_SIGNATURE_INVALID: {
    what: 'This token was not made by this server.',
    next: newToken,
  },
  TOKEN_ALGORITHM_NOT_ALLOWED: { what: 'This token is not signed with ES384.', next: newToken },
  TOKEN_EXPIRED: { what: 'This token has expired.', next: newToken },
  CONNECTION_CLOSED: {
    what: 'The connection was ended while it was being made.',
    next: 'Another window with the same token may have taken it over. Close that one, or try again.',
  },
  TOKEN_KEY_NOT_FOUND: {
    what: 'The public key that this token is signed for is not on this server.',
    next: 'Import it with import-public-key, or make a token with create-participant-token.',
  },
  TOKEN_KEY_WRONG_SCOPE: {
    what: 'The public key of this token is of another account or region than its stage.',
    next: newToken,
  },
  TOKEN_WRONG_STAGE: { what: 'This token is for another stage.', next: newToken },
  TOKEN_WRONG_PARTICIPANT: { what: 'This token is of another participant.', next: newToken },
  TOKEN_REUSED: {
    what: 'The same token joined from another window.',
    next: 'Each participant needs a token of its own. Close the other window, or create another token for it.',
  },
  INSUFFICIENT_CAPABILITIES: {
    what: 'This token does not allow that.',
    next: 'Create one with the capability: “--capabilities PUBLISH SUBSCRIBE”.',
  },
  CANNOT_PUBLISH: {
    what: 'This token allows watching, not publishing.',
    next: 'Open it on the watch page, or create one with “--capabilities PUBLISH SUBSCRIBE”.',
  },
  CANNOT_SUBSCRIBE: {
    what: 'This token allows publishing, not watching.',
    next: 'Open it on the publish page, or create one with “--capabilities SUBSCRIBE”.',
  },
  // The stage.
  PARTICIPANT_DISCONNECTED: {
    what: 'You were disconnected from the stage.',
    next: 'Somebody called “disconnect-participant”. This token is good no longer; ask for a new one.',
  },
  STAGE_DELETED: {
    what: 'The stage has been deleted.',
    next: 'Create another with “create-stage”, and a token for it.',
  },
  QUOTA_EXCEEDED: {
    what: 'The stage is full.',
    next: 'Wait until somebody stops, or raise the limit when starting the server.',
  },
  TOO_MANY_REQUESTS: {
    what: 'This participant asked for connections too often.',
    next: 'Wait a moment. Other windows may be open with the same token; close those.',
  },
  PUBLISHER_NOT_FOUND: {
    what: 'The participant has stopped publishing.',
    next: 'The picture comes back when it does.',
  },
  BITRATE_EXCEEDED: {
    what: 'More bits a second were sent than the server takes.',
    next: 'Lower the bitrate and publish again, or raise --max-publish-bitrate when starting the server.',
  },
  RESOLUTION_EXCEEDED: {
    what: 'The picture is larger than the server takes.',
    next: 'Choose a smaller one and publish again, or raise --max-publish-pixels when starting the server.',
  },
  STREAM_DURATION_EXCEEDED: {
    what: 'The connection lasted as long as the server allows.',
    next: 'Start again, or raise --max-duration when starting the server.',
  },
  LAYER_NOT_FOUND: {
    what: 'This quality is not being sent any more.',
    next: 'Choose another one, or “Automatic”.',
  },
  // The exchange with the server.
  INVALID_OFFER: {
    what: 'The server could not read this browser’s offer.',
    next: 'Try a current version of Chrome, Edge, Firefox or Safari.',
  },
  NOT_ACCEPTABLE: {
    what: 'No codec is understood by both sides.',
    next: 'This browser must offer Opus, and H.264 or VP8. Set the video codec to “Automatic”.',
  },
  BODY_TOO_LARGE: { what: 'This browser’s offer is too large.', next: 'Try another browser.' },
  UNAVAILABLE: { what: 'The server cannot take media now.', next: again },
  INTERNAL: { what: 'The server failed.', next: again },
  UNREACHABLE: {
    what: 'The server does not answer.',
    next: 'Check that Footlights is running, and that this machine reaches the address in the token.',
  },
  MEDIA_FAILED: {
    what: 'The media connection failed.',
    next: 'Check that the server’s UDP media port is reachable from here; behind NAT the server needs --announce-ip.',
  },
  // This machine.
  INSECURE_CONTEXT: {
    what: 'The browser gives no camera to this page.',
    next: 'Cameras work on https:// pages and on http://localhost or http://127.0.0.1. Start Footlights with --tls-cert and --tls-key, or open the page on the server’s own machine.',
  },
  DEVICE_DENIED: {
    what: 'Camera and microphone are blocked.',
    next: 'Allow them in the browser’s address bar, then press “Try again”.',
  },
  DEVICE_NOT_FOUND: {
    what: 'No camera or microphone was found.',
    next: 'Connect one, then press “Try again”.',
  },
  DEVICE_BUSY: {
    what: 'The camera or microphone is in use.',
    next: 'Close the program that uses it, then press “Try again”.',
  },
  NO_TRACKS: { what: 'There is nothing to publish.', next: 'Choose a camera or a microphone.' },
};

const byStatus: Record<number, string> = {
  401: 'TOKEN_INVALID',
  403: 'INSUFFICIENT_CAPABILITIES',
  404: 'PUBLISHER_NOT_FOUND',
  406: 'NOT_ACCEPTABLE',
  409: 'QUOTA_EXCEEDED',
  413: 'BODY_TOO_LARGE',
  503: 'UNAVAILABLE',
};

/** The words for a code; what the server says takes the first place for codes that are not known here. */
export function explain(code: string, message = ''): Words {
  return words[code] ?? { what: message || `The server refused: ${code}.`, next: again };
}

/** The code that stands for an HTTP status whose body says none. */
export function codeOfStatus(status: number): string {
  return byStatus[status] ?? (status >= 500 ? 'INTERNAL' : `HTTP ${status}`);
}

/** The code for what getUserMedia threw. */
export function codeOfDeviceError(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'DEVICE_DENIED';
  return name === 'NotReadableError' || name === 'AbortError' ? 'DEVICE_BUSY' : 'DEVICE_NOT_FOUND';
}
