import { formatArn, newResourceId, type ResourceType } from '@footlights/model';
import { type QuotaName, quotaExceeded } from '../quotas.ts';
import type {
  Page,
  PageRequest,
  ResourceFilter,
  ResourceKind,
  ResourceReaders,
  ResourceRecord,
  ResourceRecords,
  Resources,
  ResourceWriters,
  Scope,
} from '../store/index.ts';
import { countUnended } from './composition-use.ts';
import type { OperationContext } from './context.ts';
import { isOwn, notFound } from './lookup.ts';
import { checkTagNames } from './tag-names.ts';

/** One kind of resource: its type in ARNs, its name in messages, how many there may be. */
interface Kind {
  type: ResourceType;
  title: string;
  quota: QuotaName;
  /** How many count; all of them when absent. */
  occupied?(scope: Scope, resources: Resources): Promise<number>;
}

/** What all operations on resources other than stages have in common is said here of each kind. */
const kinds: Readonly<Record<ResourceKind, Kind>> = {
  storageConfigurations: {
    type: 'storage-configuration',
    title: 'Storage configuration',
    quota: 'storage-configurations',
  },
  encoderConfigurations: {
    type: 'encoder-configuration',
    title: 'Encoder configuration',
    quota: 'encoder-configurations',
  },
  ingestConfigurations: { type: 'ingest-configuration', title: 'Ingest configuration', quota: 'ingest-configurations' },
  publicKeys: { type: 'public-key', title: 'Public key', quota: 'public-keys' },
  compositions: { type: 'composition', title: 'Composition', quota: 'compositions', occupied: countUnended },
};

/** The kind of resource that ARNs of this type name. */
export function kindOf(type: ResourceType): ResourceKind | undefined {
  return (Object.keys(kinds) as ResourceKind[]).find((kind) => kinds[kind].type === type);
}

/** What a new resource of any kind begins with. */
export function newResource(
  { account, region, now }: OperationContext,
  kind: ResourceKind,
  { name = '', tags = {} }: { name?: string; tags?: Record<string, string> },
): ResourceRecord {
  checkTagNames(tags);
  const arn = formatArn({ region, account, type: kinds[kind].type, id: newResourceId() });
  return { arn, account, region, name, tags, createdAt: now().toISOString() };
}

/** Adds a resource inside a change, unless its quota is used up. */
export async function insertWithinQuota<K extends ResourceKind>(
  context: OperationContext,
  resources: Resources,
  kind: K,
  record: ResourceRecords[K],
): Promise<void> {
  const writers: ResourceWriters = resources;
  const { quota, occupied = () => writers[kind].count(context) } = kinds[kind];
  if ((await occupied(context, resources)) >= context.quotas[quota]) throw quotaExceeded(context.quotas, quota);
  await writers[kind].insert(record);
}

/** Adds a resource unless its quota is used up or `check`, which sees what is there, throws. */
export function insertResource<K extends ResourceKind>(
  context: OperationContext,
  kind: K,
  record: ResourceRecords[K],
  check: (resources: Resources) => Promise<void> = async () => {},
): Promise<void> {
  return context.store.change(async (resources) => {
    await check(resources);
    await insertWithinQuota(context, resources, kind, record);
  });
}

/** The resource, or ResourceNotFoundException. */
export async function requireResource<K extends ResourceKind>(
  context: OperationContext,
  kind: K,
  arn: string,
  readers: ResourceReaders = context.store,
): Promise<ResourceRecords[K]> {
  const record = isOwn(context, arn) ? await readers[kind].get(arn) : undefined;
  if (!record) throw notFound(kinds[kind].title, arn);
  return record;
}

/** One page of the caller's resources, with the page size of this kind when none is asked for. */
export function listResources<K extends ResourceKind>(
  context: OperationContext,
  kind: K,
  { nextToken, maxResults }: PageRequest,
  options: { pageSize: number; filter?: ResourceFilter },
): Promise<Page<ResourceRecords[K]>> {
  const readers: ResourceReaders = context.store;
  return readers[kind].list(context, { nextToken, maxResults: maxResults ?? options.pageSize }, options.filter);
}

/** Changes a resource to what `change` makes of it, or throws ResourceNotFoundException. */
export function updateResource<K extends ResourceKind>(
  context: OperationContext,
  kind: K,
  arn: string,
  change: (current: ResourceRecords[K], resources: Resources) => Promise<Partial<ResourceRecords[K]>>,
): Promise<ResourceRecords[K]> {
  return context.store.change(async (resources) => {
    const current = await requireResource(context, kind, arn, resources);
    const changed = await change(current, resources);
    const writers: ResourceWriters = resources;
    return (await writers[kind].update(arn, () => changed)) ?? current;
  });
}

/** Deletes a resource unless `check` throws, or throws ResourceNotFoundException. */
export function deleteResource<K extends ResourceKind>(
  context: OperationContext,
  kind: K,
  arn: string,
  check: (record: ResourceRecords[K], resources: Resources) => Promise<void> = async () => {},
): Promise<void> {
  return context.store.change(async (resources) => {
    await check(await requireResource(context, kind, arn, resources), resources);
    await resources[kind].delete(arn);
  });
}
