import { ApiError } from '@footlights/model';

/** Refuses the names that AWS keeps for itself. */
export function checkTagNames(tags: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(tags).find((key) => /^aws:/i.test(key));
  if (reserved !== undefined)
    throw new ApiError('ValidationException', `Tag keys must not begin with 'aws:', which is reserved: '${reserved}'`);
}
