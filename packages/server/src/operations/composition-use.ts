import { ApiError } from '@footlights/model';
import type { ResourceFilter, Resources, Scope } from '../store/index.ts';

/** How many compositions that have not ended fit the filter. */
export function countUnended(scope: Scope, resources: Resources, filter: ResourceFilter = {}): Promise<number> {
  return resources.compositions.count(scope, { phase: 'unended', ...filter });
}

/** Throws ConflictException while a composition needs what the filter names. */
export async function refuseWhileComposed(scope: Scope, resources: Resources, filter: ResourceFilter): Promise<void> {
  if ((await countUnended(scope, resources, filter)) > 0)
    throw new ApiError(
      'ConflictException',
      `A composition uses ${Object.values(filter)[0]}: stop it, and wait until it has ended`,
    );
}
