import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import type { Endpoints } from './credentials.ts';

/** What a person reads when the server is ready: where it is, how to call it, what to type next. */
export function summary(
  config: Config,
  endpoints: Endpoints,
  { accessKeyId, fingerprint }: { accessKeyId: string; fingerprint?: string | undefined },
): string {
  const auth = config.auth
    ? `access key ${accessKeyId} (secret in ${config.dataDir}/credentials)`
    : 'calls need no signature (--no-auth)';
  const dataDir = config.dataDir === join(homedir(), '.footlights') ? '' : ` --data-dir ${quote(config.dataDir)}`;
  return `
Footlights is ready.

  API      ${endpoints.api}   region ${config.region}, account ${config.accountId}
  WHIP     ${endpoints.whip}
  Events   ${endpoints.events}
  Media    ${endpoints.media.join(', ')}
${encoderLines(endpoints, fingerprint)}  Auth     ${auth}

In another shell:

  eval "$(./bin/footlights env${dataDir})"
  ./bin/footlights ivs-realtime create-stage --name demo
  ./bin/footlights ivs-realtime create-participant-token --user-id alice --stage-arn <arn of the stage>

Publish and watch in a browser, each with a token of its own:

  ${endpoints.api}/publish
  ${endpoints.api}/watch

Ctrl-C stops it.
`;
}

function encoderLines({ rtmp, rtmps }: Endpoints, fingerprint: string | undefined): string {
  if (rtmp === undefined || rtmps === undefined) return '';
  const own = fingerprint === undefined ? '' : `\n           self-signed, SHA-256 ${fingerprint}`;
  return `  RTMP     ${rtmp}\n  RTMPS    ${rtmps}${own}\n`;
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
