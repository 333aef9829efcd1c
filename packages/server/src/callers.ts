import { ApiError, type HttpRequestParts, type Operation, verifyRequest } from '@footlights/model';
import type { AccessKey } from './credentials.ts';
import type { Scope } from './store/index.ts';

const signingService = 'ivs';
/** What a region may be called where a key is good for all: ARNs are made of it. */
const regionName = /^[a-z0-9-]{1,32}$/;

/** Who calls: the owner of what is seen and made, and what may be done. */
export interface Caller extends Scope {
  readOnly: boolean;
}

/** How callers are told apart. */
export interface CallerOptions {
  /** False: nobody's signature is asked for, everybody is the server's own account. */
  auth: boolean;
  /** The server's own account and region, which keys have that name no others. */
  own: Scope;
  keyOf(accessKeyId: string): AccessKey | undefined;
  now(): Date;
}

/** Says who sent a request: the account comes from the access key, the region from what was signed for. */
export class Callers {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /** Throws an ApiError when the request is not signed, or not so that it can be believed. */
  identify(parts: HttpRequestParts): Caller {
    const { auth, own, keyOf, now } = this.#options;
    if (!auth) return { ...own, readOnly: false };
    const secretOf = (id: string) => keyOf(id)?.secretAccessKey;
    const { accessKeyId, region } = verifyRequest(parts, { secretOf, service: signingService, now: now() });
    const { accountId = own.account, regions = [own.region], readOnly = false } = keyOf(accessKeyId) ?? {};
    if (regions === '*' ? !regionName.test(region) : !regions.includes(region))
      throw new ApiError(
        'InvalidSignatureException',
        `Credential should be scoped to a valid region: ${regions === '*' ? `not '${region}'` : regions.join(', ')}`,
      );
    return { account: accountId, region, readOnly };
  }
}

/** Throws AccessDeniedException when the caller may not do this. */
export function authorize({ readOnly }: Caller, { name }: Operation): void {
  if (readOnly && !/^(?:Get|List)/.test(name))
    throw new ApiError('AccessDeniedException', `The access key is read-only: it may not call ivs:${name}`);
}
