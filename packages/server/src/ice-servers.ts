import { createHmac } from 'node:crypto';
import type { Config } from './config.ts';

/** What of the configuration is told about STUN and TURN. */
export type IceServerConfig = Pick<Config, 'iceServers' | 'turnUsername' | 'turnCredential' | 'turnSecret' | 'turnTtl'>;

/** The STUN and TURN servers that clients are told, as `Link` headers (RFC 9725 section 4.6). */
export class IceServers {
  private readonly config: IceServerConfig;
  private readonly now: () => Date;

  constructor(config: IceServerConfig, now: () => Date) {
    this.config = config;
    this.now = now;
  }

  /** All of them, with the participant's credentials for the TURN servers. */
  linksFor(participantId: string): string[] {
    const credentials = this.credentials(participantId);
    return this.config.iceServers.map((url) => (isTurn(url) ? `${link(url)}; ${credentials}` : link(url)));
  }

  /** Those that need no credentials, for whoever has shown no token. */
  publicLinks(): string[] {
    return this.config.iceServers.filter((url) => !isTurn(url)).map(link);
  }

  private credentials(participantId: string): string {
    const { turnUsername, turnCredential = '', turnSecret } = this.config;
    const [username, credential] =
      turnSecret === undefined
        ? [turnUsername ?? '', turnCredential]
        : timeLimited(turnSecret, `${Math.floor(this.now().getTime() / 1000) + this.config.turnTtl}:${participantId}`);
    return `username=${quoted(username)}; credential=${quoted(credential)}; credential-type="password"`;
  }
}

/**
 * Credentials that a TURN server checks without having been told of them: the name says when they end, and the password is
 * its HMAC-SHA1 with the shared secret (draft-uberti-behave-turn-rest-00; coturn's use-auth-secret).
 */
function timeLimited(secret: string, username: string): [username: string, credential: string] {
  return [username, createHmac('sha1', secret).update(username).digest('base64')];
}

const isTurn = (url: string): boolean => url.startsWith('turn');

const link = (url: string): string => `<${url}>; rel="ice-server"`;

/** A quoted-string (RFC 9110 section 5.6.4). */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
