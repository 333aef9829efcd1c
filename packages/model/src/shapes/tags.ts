import { required, structure } from '../schema.ts';
import { ResourceArn, TagKeyList, Tags } from './common.ts';

/** Input of TagResource. */
export const TagResourceRequest = structure({
  resourceArn: required(ResourceArn, 'ARN of the resource.', { location: 'uri' }),
  tags: required(Tags, 'Tags to add; a tag with the same name is replaced.'),
});

/** Output of TagResource. */
export const TagResourceResponse = structure({});

/** Input of UntagResource. */
export const UntagResourceRequest = structure({
  resourceArn: required(ResourceArn, 'ARN of the resource.', { location: 'uri' }),
  tagKeys: required(TagKeyList, 'Names of the tags to take away.', { location: 'querystring' }),
});

/** Output of UntagResource. */
export const UntagResourceResponse = structure({});

/** Input of ListTagsForResource. */
export const ListTagsForResourceRequest = structure({
  resourceArn: required(ResourceArn, 'ARN of the resource.', { location: 'uri' }),
});

/** Output of ListTagsForResource. */
export const ListTagsForResourceResponse = structure({
  tags: required(Tags, 'Tags of the resource.'),
});
