// Camera and microphone of this machine.

import { byId, clearProblem, showProblem } from './page.ts';
import { codeOfDeviceError } from './words.ts';

const videoConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Camera and microphone: the preview, the choice of devices, muting. */
export class Devices {
  readonly stream = new MediaStream();
  readonly #preview = byId<HTMLVideoElement>('preview');
  readonly #camera = byId<HTMLSelectElement>('camera');
  readonly #microphone = byId<HTMLSelectElement>('microphone');
  #changed: (kind: 'audio' | 'video') => void = () => undefined;

  constructor() {
    this.#showCamera();
    this.#camera.addEventListener('change', () => void this.#choose('video', this.#camera.value));
    this.#microphone.addEventListener('change', () => void this.#choose('audio', this.#microphone.value));
  }

  /** Called when a track was replaced. */
  onChange(changed: (kind: 'audio' | 'video') => void): void {
    this.#changed = changed;
  }

  /** Opens what there is, camera and microphone or the one that exists; false when the page has said why not. */
  async open(): Promise<boolean> {
    if (!window.isSecureContext || !navigator.mediaDevices) {
      showProblem('INSECURE_CONTEXT');
      return false;
    }
    try {
      const stream = await openAny([
        { audio: true, video: videoConstraints },
        { audio: true },
        { video: videoConstraints },
      ]);
      for (const track of stream.getTracks()) this.#put(track);
    } catch (error) {
      showDeviceProblem(error);
    }
    await this.#list();
    navigator.mediaDevices.ondevicechange = () => void this.#list();
    return this.stream.getTracks().length > 0;
  }

  track(kind: 'audio' | 'video'): MediaStreamTrack | undefined {
    return this.stream.getTracks().find((track) => track.kind === kind);
  }

  enable(kind: 'audio' | 'video', enabled: boolean): void {
    const track = this.track(kind);
    if (track) track.enabled = enabled;
    if (kind === 'video') this.#showCamera();
  }

  async #choose(kind: 'audio' | 'video', deviceId: string): Promise<void> {
    const enabled = this.track(kind)?.enabled ?? true;
    this.#remove(kind);
    if (deviceId !== '') {
      const device = { deviceId: { exact: deviceId } };
      try {
        const stream = await navigator.mediaDevices.getUserMedia(
          kind === 'audio' ? { audio: device } : { video: { ...videoConstraints, ...device } },
        );
        for (const track of stream.getTracks()) this.#put(track);
        clearProblem();
      } catch (error) {
        showDeviceProblem(error);
      }
    }
    this.enable(kind, enabled);
    this.#changed(kind);
  }

  #put(track: MediaStreamTrack): void {
    track.addEventListener('ended', () => this.#gone(track));
    this.stream.addTrack(track);
    this.#showCamera();
  }

  #remove(kind: 'audio' | 'video'): void {
    const track = this.track(kind);
    if (!track) return;
    track.stop();
    this.stream.removeTrack(track);
    this.#showCamera();
  }

  /** The device was unplugged, or its permission taken back. */
  #gone(track: MediaStreamTrack): void {
    if (!this.stream.getTracks().includes(track)) return;
    this.stream.removeTrack(track);
    this.#showCamera();
    this.#changed(track.kind === 'audio' ? 'audio' : 'video');
    void this.#list();
  }

  /** A preview without a video track would keep the page from ever being loaded. */
  #showCamera(): void {
    const track = this.track('video');
    const source = track ? this.stream : null;
    if (this.#preview.srcObject !== source) this.#preview.srcObject = source;
    byId('preview-off').hidden = track?.enabled ?? false;
  }

  async #list(): Promise<void> {
    const devices = await navigator.mediaDevices.enumerateDevices();
    fill(this.#camera, 'No camera', devices, 'videoinput', this.track('video'));
    fill(this.#microphone, 'No microphone', devices, 'audioinput', this.track('audio'));
  }
}

/** The first of the wishes that devices exist for. */
async function openAny(wishes: readonly MediaStreamConstraints[]): Promise<MediaStream> {
  let failure: unknown;
  for (const wish of wishes) {
    try {
      return await navigator.mediaDevices.getUserMedia(wish);
    } catch (error) {
      failure ??= error;
      if (codeOfDeviceError(error) === 'DEVICE_DENIED') break;
    }
  }
  throw failure;
}

function fill(
  select: HTMLSelectElement,
  none: string,
  devices: readonly MediaDeviceInfo[],
  kind: MediaDeviceKind,
  track: MediaStreamTrack | undefined,
): void {
  const found = devices.filter((device) => device.kind === kind && device.deviceId !== '');
  const options = found.map(({ label, deviceId }, index) => new Option(label || `${kind} ${index + 1}`, deviceId));
  select.replaceChildren(...options, new Option(none, ''));
  select.value = track?.getSettings().deviceId ?? '';
  if (select.selectedIndex < 0) select.value = track ? (found[0]?.deviceId ?? '') : '';
}

function showDeviceProblem(error: unknown): void {
  showProblem(codeOfDeviceError(error));
  byId('retry').hidden = false;
}

/** Moves the meter with the loudness of whatever microphone is open. */
export function meterMicrophone(devices: Devices): void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const samples = new Float32Array(analyser.fftSize);
  const meter = byId<HTMLMeterElement>('level');
  let source: { track: MediaStreamTrack; node: MediaStreamAudioSourceNode } | undefined;
  setInterval(() => {
    const track = devices.track('audio');
    if (track !== source?.track) {
      source?.node.disconnect();
      source = track && { track, node: context.createMediaStreamSource(new MediaStream([track])) };
      source?.node.connect(analyser);
    }
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((total, sample) => total + sample * sample, 0) / samples.length;
    meter.value = source && track?.enabled ? Math.min(1, Math.sqrt(power) * 4) : 0;
  }, 100);
  document.addEventListener('click', () => void context.resume(), { once: true });
}
