interface Sample {
  hours: number;
  megabytes: number;
}

/** Whether memory grows over time. */
export class Growth {
  readonly #samples: Sample[] = [];

  add(sample: Sample): void {
    this.#samples.push(sample);
  }

  /** Of the straight line nearest to the samples (least squares), in megabytes an hour. */
  get perHour(): number {
    const mean = (value: (sample: Sample) => number) =>
      this.#samples.reduce((sum, sample) => sum + value(sample), 0) / this.#samples.length;
    const [hours, megabytes] = [mean((sample) => sample.hours), mean((sample) => sample.megabytes)];
    const both = mean((sample) => (sample.hours - hours) * (sample.megabytes - megabytes));
    return both / mean((sample) => (sample.hours - hours) ** 2);
  }
}
