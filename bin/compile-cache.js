// Loads a CommonJS file with what V8 compiled of it the last time. Node 22 does this itself; for Node 20 the compiled code
// is kept beside the file, or in the user's cache folder when that cannot be written. Without either the file is just run.
const { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } = require('node:fs');
const module_ = require('node:module');
const { homedir } = require('node:os');
const { basename, dirname, join } = require('node:path');
const { Script } = require('node:vm');

exports.load = function load(file) {
  if (module_.enableCompileCache) {
    module_.enableCompileCache();
    require(file);
  } else {
    runWithCache(file);
  }
};

function runWithCache(file) {
  const source = readFileSync(file, 'utf8');
  const caches = cacheFiles(file);
  const cachedData = firstReadable(caches);
  const script = new Script(module_.wrap(source), { filename: file, cachedData });
  if (cachedData === undefined || script.cachedDataRejected) {
    process.once('exit', () => keep(script.createCachedData(), caches));
  }
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, module_.createRequire(file), loaded, file, dirname(file));
}

/** The name says which file and which Node it is for: V8 itself looks at the length of a source alone. */
function cacheFiles(file) {
  const { mtimeMs, size } = statSync(file);
  const name = `${basename(file)}-${size}-${Math.round(mtimeMs)}-${process.version}-${process.arch}.cache`;
  const user = process.env.XDG_CACHE_HOME || join(process.env.HOME || homedir(), '.cache');
  return [join(dirname(file), name), join(user, 'footlights', name)];
}

function firstReadable(files) {
  for (const file of files) {
    try {
      return readFileSync(file);
    } catch {}
  }
}

/** Renamed into place, so that nobody reads half of it; failing to keep it costs the next start a few milliseconds. */
function keep(data, files) {
  for (const file of files) {
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.${process.pid}`, data);
      return renameSync(`${file}.${process.pid}`, file);
    } catch {}
  }
}
