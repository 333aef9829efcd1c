// OBS Studio as a user has it, on a screen of its own: a profile that streams what a file plays.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFlashAndBeep } from './flash-and-beep.ts';

/** Debian's packages obs-studio and xvfb are installed. */
export const hasObs = existsSync('/usr/bin/obs') && existsSync('/usr/bin/Xvfb');

/** It is played again and again. */
export const FILE_SECONDS = 60;

const systemCertificates = '/etc/ssl/certs/ca-certificates.crt';
/** Key frames and no B-frames, as a stage asks for. */
const profile = `[General]
Name=Test
[Output]
Mode=Simple
[SimpleOutput]
VBitrate=1000
ABitrate=128
StreamEncoder=x264
UseAdvanced=true
Preset=ultrafast
x264Settings=bframes=0 keyint=60
[Video]
BaseCX=640
BaseCY=360
OutputCX=640
OutputCY=360
FPSCommon=30
[Audio]
SampleRate=48000
ChannelSetup=Stereo
`;
const general = `[General]
FirstRun=true
Pre19Defaults=false
Pre21Defaults=false
Pre23Defaults=false
Pre24.1Defaults=false
EnableAutoUpdates=false
InfoIncrement=99
LastVersion=486539266
[Basic]
Profile=Test
ProfileDir=Test
SceneCollection=Test
SceneCollectionFile=Test
`;

/** The file as a source, and the scene that shows it. */
function scenes(file: string): object {
  const media = {
    ...{
      id: 'ffmpeg_source',
      versioned_id: 'ffmpeg_source',
      name: 'File',
      uuid: '11111111-1111-4111-8111-111111111111',
    },
    ...{ settings: { local_file: file, looping: true, is_local_file: true }, volume: 1, mixers: 255, enabled: true },
  };
  const item = { name: 'File', id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, align: 5 };
  const scene = {
    ...{ id: 'scene', versioned_id: 'scene', name: 'Scene', settings: { items: [item], id_counter: 1 }, enabled: true },
  };
  const order = [{ name: 'Scene' }];
  return {
    ...{ name: 'Test', current_scene: 'Scene', current_program_scene: 'Scene', scene_order: order },
    ...{ sources: [media, scene], transitions: [], groups: [] },
  };
}

/** An OBS that streams. */
export class Obs {
  output = '';
  readonly #home = mkdtempSync(join(tmpdir(), 'footlights-obs-'));
  #screen: ChildProcess | undefined;
  #process: ChildProcess | undefined;

  /** `certificate` (PEM) is trusted by this OBS alone, beside the system's: it takes root and a mount namespace. */
  async start(server: string, key: string, certificate?: string): Promise<void> {
    await this.#configure(server, key);
    const display = await this.#openScreen();
    const obs = ['obs', '--multi', '--profile', 'Test', '--collection', 'Test', '--scene', 'Scene', '--startstreaming'];
    const trusted = join(this.#home, 'certificates.crt');
    if (certificate) writeFileSync(trusted, readFileSync(systemCertificates, 'utf8') + certificate);
    const mount = `mount --bind "$0" ${systemCertificates} && exec "$@"`;
    const command = certificate ? ['unshare', '-m', 'sh', '-c', mount, trusted, ...obs] : obs;
    this.#process = spawn(command[0] ?? '', command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: process.env.PATH, HOME: this.#home, XDG_RUNTIME_DIR: this.#home, DISPLAY: display },
        // It looks for news on the internet.
        ...{ http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' },
        ...{ LIBGL_ALWAYS_SOFTWARE: '1', QT_QPA_PLATFORM: 'xcb' },
      },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on('data', (text) => (this.output += text));
  }

  async end(): Promise<void> {
    for (const child of [this.#process, this.#screen]) {
      if (!child || child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
    rmSync(this.#home, { recursive: true, force: true });
  }

  async #configure(server: string, key: string): Promise<void> {
    const folder = join(this.#home, '.config/obs-studio');
    const [profiles, collections] = [join(folder, 'basic/profiles/Test'), join(folder, 'basic/scenes')];
    for (const path of [profiles, collections]) mkdirSync(path, { recursive: true });
    const file = join(this.#home, 'source.mp4');
    await writeFlashAndBeep(file, FILE_SECONDS, ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-c:a', 'aac']);
    writeFileSync(join(folder, 'global.ini'), general);
    writeFileSync(join(profiles, 'basic.ini'), profile);
    const service = { type: 'rtmp_custom', settings: { server, key, use_auth: false } };
    writeFileSync(join(profiles, 'service.json'), JSON.stringify(service));
    writeFileSync(join(collections, 'Test.json'), JSON.stringify(scenes(file)));
  }

  /** Xvfb takes a free display and says which. */
  async #openScreen(): Promise<string> {
    const args = ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'];
    this.#screen = spawn('/usr/bin/Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    let number = '';
    this.#screen.stdio[3]?.on('data', (text) => (number += text));
    for (let i = 0; i < 100 && !number.endsWith('\n'); i++) await sleep(100);
    return `:${number.trim()}`;
  }
}
