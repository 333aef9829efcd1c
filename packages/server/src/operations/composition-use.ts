import { ApiError } from '@footlights/model';
import type { CompositionRecord, ResourceFilter, Resources, Scope } from '../store/index.ts';

const unended: readonly CompositionRecord['state'][] = ['STARTING', 'ACTIVE', 'STOPPING'];

/** Whether nothing more happens to the composition. */
export function hasEnded({ state }: CompositionRecord): boolean {
  return !unended.includes(state);
}

/** How many compositions that have not ended fit the filter. */
export async function countUnended(scope: Scope, resources: Resources, filter: ResourceFilter = {}): Promise<number> {
  let count = 0;
  for (const state of unended) count += await resources.compositions.count(scope, { ...filter, state });
  return count;
}

/** Throws ConflictException while a composition needs what the filter names. */
export async function refuseWhileComposed(scope: Scope, resources: Resources, filter: ResourceFilter): Promise<void> {
  if ((await countUnended(scope, resources, filter)) > 0)
    throw new ApiError(
      'ConflictException',
      `A composition uses ${Object.values(filter)[0]}: stop it, and wait until it has ended`,
    );
}
