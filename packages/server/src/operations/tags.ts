import { ApiError, type Input, type Output, parseArn, type ResourceType } from '@footlights/model';
import type { OperationContext } from './context.ts';
import { isOwn, notFound } from './lookup.ts';

/** Tags of one resource. */
export const tagQuota = 50;

type Tags = Record<string, string>;

/** How one kind of resource keeps its tags; undefined when there is no such resource. */
interface Taggable {
  read(context: OperationContext, arn: string): Promise<Tags | undefined>;
  /** `change` is given the tags as they are at the moment of writing; when it throws, they stay. */
  write(context: OperationContext, arn: string, change: (tags: Tags) => Tags): Promise<Tags | undefined>;
}

const taggables: { readonly [T in ResourceType]?: Taggable } = {
  stage: {
    read: async ({ store }, arn) => (await store.getStage(arn))?.tags,
    write: async ({ store }, arn, change) =>
      (await store.updateStage(arn, ({ tags }) => ({ tags: change(tags) })))?.tags,
  },
};

export async function tagResource(
  context: OperationContext,
  input: Input<'TagResource'>,
): Promise<Output<'TagResource'>> {
  const { resourceArn, tags } = input;
  checkTagNames(tags);
  const written = await taggableOf(context, resourceArn).write(context, resourceArn, (present) => {
    const merged = { ...present, ...tags };
    if (Object.keys(merged).length <= tagQuota) return merged;
    throw new ApiError('ValidationException', `A resource may have at most ${tagQuota} tags: ${resourceArn}`);
  });
  if (!written) throw notFound('Resource', resourceArn);
  return {};
}

export async function untagResource(
  context: OperationContext,
  input: Input<'UntagResource'>,
): Promise<Output<'UntagResource'>> {
  const { resourceArn, tagKeys } = input;
  const unwanted = new Set(tagKeys);
  const written = await taggableOf(context, resourceArn).write(context, resourceArn, (present) =>
    Object.fromEntries(Object.entries(present).filter(([key]) => !unwanted.has(key))),
  );
  if (!written) throw notFound('Resource', resourceArn);
  return {};
}

export async function listTagsForResource(
  context: OperationContext,
  input: Input<'ListTagsForResource'>,
): Promise<Output<'ListTagsForResource'>> {
  const tags = await taggableOf(context, input.resourceArn).read(context, input.resourceArn);
  if (!tags) throw notFound('Resource', input.resourceArn);
  return { tags };
}

/** Refuses the names that AWS keeps for itself. */
export function checkTagNames(tags: Tags): void {
  const reserved = Object.keys(tags).find((key) => /^aws:/i.test(key));
  if (reserved !== undefined)
    throw new ApiError('ValidationException', `Tag keys must not begin with 'aws:', which is reserved: '${reserved}'`);
}

function taggableOf(context: OperationContext, arn: string): Taggable {
  const type = isOwn(context, arn) ? parseArn(arn)?.type : undefined;
  const taggable = type && taggables[type];
  if (!taggable) throw notFound('Resource', arn);
  return taggable;
}
