import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { ApiError, type Input, type Output, type PublicKey } from '@footlights/model';
import type { PublicKeyRecord } from '../store/index.ts';
import type { OperationContext } from './context.ts';
import { deleteResource, insertResource, listResources, newResource, requireResource } from './resources.ts';

const pageSize = 50;

export async function importPublicKey(
  context: OperationContext,
  input: Input<'ImportPublicKey'>,
): Promise<Output<'ImportPublicKey'>> {
  const { publicKeyMaterial } = input;
  const fingerprint = fingerprintOf(readKey(publicKeyMaterial));
  const record = { ...newResource(context, 'publicKeys', input), publicKeyMaterial, fingerprint };
  await insertResource(context, 'publicKeys', record, async ({ publicKeys }) => {
    const [same] = await publicKeys.all({ fingerprint }, context);
    if (same) throw new ApiError('ConflictException', `The key was imported before, as ${same.arn}`);
  });
  return { publicKey: publicKeyOf(record) };
}

export async function getPublicKey(
  context: OperationContext,
  { arn }: Input<'GetPublicKey'>,
): Promise<Output<'GetPublicKey'>> {
  return { publicKey: publicKeyOf(await requireResource(context, 'publicKeys', arn)) };
}

export async function listPublicKeys(
  context: OperationContext,
  input: Input<'ListPublicKeys'>,
): Promise<Output<'ListPublicKeys'>> {
  const { items, nextToken } = await listResources(context, 'publicKeys', input, { pageSize });
  return { publicKeys: items.map(({ arn, name, tags }) => ({ arn, name, tags })), nextToken };
}

export async function deletePublicKey(
  context: OperationContext,
  { arn }: Input<'DeletePublicKey'>,
): Promise<Output<'DeletePublicKey'>> {
  await deleteResource(context, 'publicKeys', arn);
  return {};
}

function readKey(pem: string): KeyObject {
  const refuse = (found: string) =>
    new ApiError(
      'ValidationException',
      `Value at 'publicKeyMaterial' failed to satisfy constraint: Member must be a P-384 (secp384r1) public key in PEM, ${found}`,
    );
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw refuse('what was given is not a public key');
  }
  const { asymmetricKeyType = 'unknown', asymmetricKeyDetails } = key;
  const kind = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType;
  if (kind !== 'secp384r1') throw refuse(`what was given is a key of type ${kind}`);
  return key;
}

/** MD5 of the DER: AWS does not say what its own are made from, this has their form. */
function fingerprintOf(key: KeyObject): string {
  const digest = createHash('md5')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return digest.match(/../g)?.join(':') ?? '';
}

function publicKeyOf({ arn, name, publicKeyMaterial, fingerprint, tags }: PublicKeyRecord): PublicKey {
  return { arn, name, publicKeyMaterial, fingerprint, tags };
}
