import { ApiError } from '@footlights/model';

/** What an account may have in one region at most: the value at AWS, and what it counts. */
const table = {
  stages: { atAws: 1000, counts: 'stages' },
  'storage-configurations': { atAws: 5, counts: 'storage configurations' },
  'encoder-configurations': { atAws: 20, counts: 'encoder configurations' },
  'ingest-configurations': { atAws: 100, counts: 'ingest configurations' },
  'public-keys': { atAws: 3, counts: 'public keys' },
  compositions: { atAws: 20, counts: 'compositions that have not ended' },
  'compositions-per-stage': { atAws: 5, counts: 'compositions of one stage that have not ended' },
  'replications-per-participant': { atAws: 5, counts: 'replications of one participant' },
} as const;

/** Name of a quota, as --quota takes it. */
export type QuotaName = keyof typeof table;

/** The value of every quota. */
export type Quotas = Readonly<Record<QuotaName, number>>;

/** Every quota, in the order of the documentation. */
export const quotaNames = Object.keys(table) as readonly QuotaName[];

/** The quotas with AWS's values. */
export const awsQuotas = Object.fromEntries(quotaNames.map((name) => [name, table[name].atAws])) as Quotas;

/** The error of a caller who asks for one more. */
export function quotaExceeded(quotas: Quotas, name: QuotaName): ApiError {
  return new ApiError(
    'ServiceQuotaExceededException',
    `There are ${quotas[name]} ${table[name].counts}, which is the quota ${name} of this server: remove one first, or start the server with a larger --quota ${name}=NUMBER`,
  );
}
