// The answer as it is shown: the model's members in the model's order, nothing null, times in one form.

import { type Shape, shapeOf } from '@footlights/model';
import type { TimestampFormat } from '../config.ts';
import { Float } from '../python.ts';

/** Prepares a value of the given shape for any output form. */
export function arrange(shape: Shape, value: unknown, timestamps: TimestampFormat): unknown {
  switch (shape.kind) {
    case 'structure':
      return arrangeStructure(shape, value, timestamps);
    case 'map':
      return isRecord(value)
        ? mapValues(value, (item) => arrange(shapeOf(shape.additionalProperties), item, timestamps))
        : value;
    case 'list':
      return Array.isArray(value) ? value.map((item) => arrange(shapeOf(shape.items), item, timestamps)) : value;
    case 'timestamp':
      return timestamps === 'wire' ? value : isoFormat(value);
    default:
      return value;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const mapValues = (value: Record<string, unknown>, change: (item: unknown) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)]));

function arrangeStructure(
  shape: Extract<Shape, { kind: 'structure' }>,
  value: unknown,
  timestamps: TimestampFormat,
): unknown {
  if (!isRecord(value)) return value;
  const members = Object.entries(shape.properties)
    .filter(([name]) => value[name] !== undefined && value[name] !== null)
    .map(([name, schema]) => [name, arrange(shapeOf(schema), value[name], timestamps)]);
  return Object.fromEntries(members);
}

const isoTime = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)?$/;

/** ISO 8601 as Python writes it: six digits when there is a fraction, `+00:00` for Z. Epoch seconds become UTC. */
function isoFormat(value: unknown): unknown {
  if (value instanceof Float) return fromEpoch(value.value);
  if (typeof value === 'number' || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value))) return fromEpoch(value);
  const match = typeof value === 'string' ? isoTime.exec(value) : null;
  if (!match) return value;
  const [, date, time, fraction = '', zone = 'Z'] = match;
  const microseconds = fraction.padEnd(6, '0').slice(0, 6);
  const offset = zone.toUpperCase() === 'Z' ? '+00:00' : zone.replace(/^(...):?(..)$/, '$1:$2');
  return `${date}T${time}${Number(microseconds) === 0 ? '' : `.${microseconds}`}${offset}`;
}

function fromEpoch(value: number | string): string {
  const [seconds = '0', fraction = ''] = String(value).split('.');
  const time = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return String(isoFormat(`${time}${fraction && `.${fraction}`}Z`));
}
