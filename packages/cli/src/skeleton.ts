// `--generate-cli-skeleton`: an input with every member, to be edited and given back through `--cli-input-json`.

import { type Operation, type Shape, shapeOf } from '@footlights/model';
import { Float } from './python.ts';

/** The input of an operation with every member in the model's order. */
export const inputSkeleton = (operation: Operation): unknown => sample(shapeOf(operation.input));

function sample(shape: Shape): unknown {
  switch (shape.kind) {
    case 'structure':
      return Object.fromEntries(
        Object.entries(shape.properties).map(([name, member]) => [name, sample(shapeOf(member))]),
      );
    case 'map':
      return { KeyName: sample(shapeOf(shape.additionalProperties)) };
    case 'list':
      return [sample(shapeOf(shape.items))];
    case 'string':
      return shape.enum?.[0] ?? '';
    case 'timestamp':
      return '1970-01-01T00:00:00';
    case 'integer':
      return 0;
    case 'float':
      return new Float(0);
    case 'boolean':
      return true;
  }
}
