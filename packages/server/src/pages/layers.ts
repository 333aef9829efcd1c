// The quality of one tile: which simulcast layer is shown, and the viewer's choice.

import { chooseLayer, type Layers, readLayers } from './stage-client.ts';
import type { Token } from './token.ts';

/** As often as IVS clients ask. */
const pollInterval = 3000;

/** Keeps the choice of one subscription in line with the layers that there are; tells them as data of the tile. */
export class LayerChoice {
  readonly #tile: HTMLElement;
  readonly #select: HTMLSelectElement;
  readonly #token: Token;
  readonly #url: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #change = () => void this.#show(chooseLayer(this.#token, this.#url, this.#select.value));
  /** Raised with each request, so that an answer that comes late is not shown. */
  #request = 0;

  constructor(tile: HTMLElement, token: Token, url: string) {
    this.#tile = tile;
    this.#select = tile.querySelector<HTMLSelectElement>('.quality select')!;
    this.#token = token;
    this.#url = url;
    this.#select.addEventListener('change', this.#change);
    this.#timer = setInterval(() => this.#poll(), pollInterval);
    this.#poll();
  }

  stop(): void {
    this.#request += 1;
    clearInterval(this.#timer);
    this.#select.removeEventListener('change', this.#change);
    this.#select.parentElement!.hidden = true;
    for (const name of ['layer', 'layers', 'layerAutomatic']) delete this.#tile.dataset[name];
  }

  #poll(): void {
    // An open list must not change under the pointer.
    if (document.activeElement !== this.#select) void this.#show(readLayers(this.#token, this.#url));
  }

  async #show(asked: Promise<Layers | undefined>): Promise<void> {
    this.#request += 1;
    const request = this.#request;
    const known = await asked;
    if (request !== this.#request || known === undefined) return;
    const { automatic, layers } = known;
    const selected = layers.find((layer) => layer.selected)?.encodingId ?? '';
    const { dataset } = this.#tile;
    dataset.layer = selected;
    dataset.layers = layers.map(({ encodingId }) => encodingId).join(' ');
    dataset.layerAutomatic = String(automatic);
    const chosen = automatic ? '' : this.#select.value || selected;
    this.#select.replaceChildren(
      new Option(selected && automatic ? `Automatic (${selected})` : 'Automatic', ''),
      ...layers.map((layer) => new Option(describeLayer(layer), layer.encodingId)),
    );
    this.#select.value = chosen;
    this.#select.parentElement!.hidden = layers.length < 2 && automatic;
    this.#select.blur();
  }
}

/** `hi · 1280×720 · 2.5 Mbit/s`, of what is known. */
function describeLayer({ encodingId, width, height, bitrate }: Layers['layers'][number]): string {
  const size = width > 0 && height > 0 ? `${width}×${height}` : '';
  const rate = bitrate >= 1000 ? `${(bitrate / 1000).toFixed(1)} Mbit/s` : `${bitrate} kbit/s`;
  return [encodingId, size, bitrate > 0 ? rate : ''].filter(Boolean).join(' · ');
}
