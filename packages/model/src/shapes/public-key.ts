import type { Static } from '@sinclair/typebox';
import { list, optional, required, string, structure } from '../schema.ts';
import { AnyString, PaginationToken, ResourceName, Tags } from './common.ts';
import { arnOf, maxResults } from './kinds.ts';

/** ARN of a public key. */
export const PublicKeyArn = arnOf('public-key');

/** A P-384 public key in PEM. */
export const PublicKeyMaterial = string({
  pattern: '.*-----BEGIN PUBLIC KEY-----\\r?\\n([a-zA-Z0-9+/=\\r\\n]+)\\r?\\n-----END PUBLIC KEY-----(\\r?\\n)?.*',
});

/** A key with which an application's own tokens are verified. */
export const PublicKey = structure({
  arn: optional(PublicKeyArn, 'ARN of the public key.'),
  name: optional(ResourceName, 'Name of the public key.'),
  publicKeyMaterial: optional(PublicKeyMaterial, 'The key in PEM.'),
  fingerprint: optional(AnyString, 'Short hash of the key, to tell keys apart.'),
  tags: optional(Tags, 'Tags of the public key.'),
});
export type PublicKey = Static<typeof PublicKey>;

/** A public key as listings show it. */
export const PublicKeySummary = structure({
  arn: optional(PublicKeyArn, 'ARN of the public key.'),
  name: optional(ResourceName, 'Name of the public key.'),
  tags: optional(Tags, 'Tags of the public key.'),
});
export type PublicKeySummary = Static<typeof PublicKeySummary>;

/** Public keys of a listing. */
export const PublicKeyList = list(PublicKeySummary);

/** Input of ImportPublicKey. */
export const ImportPublicKeyRequest = structure({
  publicKeyMaterial: required(PublicKeyMaterial, 'A P-384 (secp384r1) public key in PEM.'),
  name: optional(ResourceName, 'Name of the public key; need not be unique.'),
  tags: optional(Tags, 'Tags of the public key.'),
});

/** Output of ImportPublicKey. */
export const ImportPublicKeyResponse = structure({
  publicKey: optional(PublicKey, 'The new public key.'),
});

/** Input of GetPublicKey. */
export const GetPublicKeyRequest = structure({
  arn: required(PublicKeyArn, 'ARN of the public key.'),
});

/** Output of GetPublicKey. */
export const GetPublicKeyResponse = structure({
  publicKey: optional(PublicKey, 'The public key.'),
});

/** Input of ListPublicKeys. */
export const ListPublicKeysRequest = structure({
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most public keys in one page; 50 when not given.'),
});

/** Output of ListPublicKeys. */
export const ListPublicKeysResponse = structure({
  publicKeys: required(PublicKeyList, 'The public keys of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});

/** Input of DeletePublicKey. */
export const DeletePublicKeyRequest = structure({
  arn: required(PublicKeyArn, 'ARN of the public key; tokens signed with it are good no longer.'),
});

/** Output of DeletePublicKey. */
export const DeletePublicKeyResponse = structure({});
