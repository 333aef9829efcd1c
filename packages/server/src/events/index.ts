import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/types.ts';
import { Delivery } from './delivery.ts';
import { FileSink, StdoutSink } from './line-sinks.ts';
import type { EventSink } from './sink.ts';
import { WebhookSink } from './webhook-sink.ts';

type SinkConfig = Pick<Config, 'eventsWebhook' | 'eventsWebhookSecret' | 'eventsFile' | 'eventsStdout'>;

/** The sinks of this server's configuration, and what is on its way to them. */
export class EventSinks {
  readonly #sinks: readonly EventSink[];
  readonly #store: Store;
  readonly #log: Log;
  #deliveries: Delivery[] = [];

  constructor(config: SinkConfig, { store, log }: { store: Store; log: Log }) {
    this.#sinks = sinksOf(config);
    this.#store = store;
    this.#log = log;
  }

  /** Before the first event: each waits for the sinks of its time. */
  async start(): Promise<void> {
    const { outbox } = this.#store;
    const dropped = await outbox.setSinks(this.#sinks.map(({ name }) => name));
    if (dropped > 0) this.#log.warn({ events: dropped }, 'events were dropped whose sink is no longer set');
    const options = { outbox, log: this.#log, now: () => new Date() };
    this.#deliveries = this.#sinks.map((sink) => new Delivery(sink, options));
    await Promise.all(this.#deliveries.map((delivery) => delivery.start()));
  }

  registerMetrics(metrics: Metrics): void {
    for (const { name } of this.#sinks)
      metrics.gauge(`footlights_events_waiting_${name}`, `Events that the sink ${name} has yet to take.`, () =>
        this.#store.outbox.waiting(name),
      );
  }

  async close(): Promise<void> {
    await Promise.all(this.#deliveries.map((delivery) => delivery.close()));
  }
}

function sinksOf({ eventsWebhook: url, eventsWebhookSecret: secret, eventsFile, eventsStdout }: SinkConfig) {
  const sinks: EventSink[] = [];
  if (url !== undefined && secret !== undefined) sinks.push(new WebhookSink({ url, secret }));
  if (eventsFile !== undefined) sinks.push(new FileSink(eventsFile));
  if (eventsStdout) sinks.push(new StdoutSink());
  return sinks;
}
