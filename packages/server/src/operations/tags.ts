import { ApiError, type Input, type Output, parseArn } from '@footlights/model';
import type { ResourceKind } from '../store/index.ts';
import type { OperationContext } from './context.ts';
import { isOwn, notFound, requireStage } from './lookup.ts';
import { kindOf, requireResource, updateResource } from './resources.ts';
import { checkTagNames } from './tag-names.ts';

/** Tags of one resource. */
export const tagQuota = 50;

type Tags = Record<string, string>;

/** How one kind of resource keeps its tags. Both throw ResourceNotFoundException when there is no such resource. */
interface Taggable {
  read(context: OperationContext, arn: string): Promise<Tags>;
  /** `change` is given the tags as they are at the moment of writing; when it throws, they stay. */
  write(context: OperationContext, arn: string, change: (tags: Tags) => Tags): Promise<void>;
}

const stageTags: Taggable = {
  read: async (context, arn) => (await requireStage(context, arn)).tags,
  async write({ store }, arn, change) {
    if (!(await store.updateStage(arn, ({ tags }) => ({ tags: change(tags) })))) throw notFound('Stage', arn);
  },
};

const tagsOf = (kind: ResourceKind): Taggable => ({
  read: async (context, arn) => (await requireResource(context, kind, arn)).tags,
  async write(context, arn, change) {
    await updateResource(context, kind, arn, async ({ tags }) => ({ tags: change(tags) }));
  },
});

export async function tagResource(
  context: OperationContext,
  input: Input<'TagResource'>,
): Promise<Output<'TagResource'>> {
  const { resourceArn, tags } = input;
  checkTagNames(tags);
  await taggableOf(context, resourceArn).write(context, resourceArn, (present) => {
    const merged = { ...present, ...tags };
    if (Object.keys(merged).length <= tagQuota) return merged;
    throw new ApiError('ValidationException', `A resource may have at most ${tagQuota} tags: ${resourceArn}`);
  });
  return {};
}

export async function untagResource(
  context: OperationContext,
  input: Input<'UntagResource'>,
): Promise<Output<'UntagResource'>> {
  const { resourceArn, tagKeys } = input;
  const unwanted = new Set(tagKeys);
  await taggableOf(context, resourceArn).write(context, resourceArn, (present) =>
    Object.fromEntries(Object.entries(present).filter(([key]) => !unwanted.has(key))),
  );
  return {};
}

export async function listTagsForResource(
  context: OperationContext,
  input: Input<'ListTagsForResource'>,
): Promise<Output<'ListTagsForResource'>> {
  const tags = await taggableOf(context, input.resourceArn).read(context, input.resourceArn);
  return { tags };
}

function taggableOf(context: OperationContext, arn: string): Taggable {
  const type = isOwn(context, arn) ? parseArn(arn)?.type : undefined;
  if (type === 'stage') return stageTags;
  const kind = type && kindOf(type);
  if (!kind) throw notFound('Resource', arn);
  return tagsOf(kind);
}
