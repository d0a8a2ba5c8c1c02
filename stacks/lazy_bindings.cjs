"use strict";
/*
 * Preload hook of jsii's Node process: where a prebuilt cdktf provider binding is required, answer with the
 * `lazy-index.js` beside its `index.js`. Both export the same resources; the lazy one loads a resource when it is first
 * used. A binding whose two files are not provably alike, line by line, keeps its `index.js`.
 */
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

// cdktf 0.21 copies assets with a library that calls `util.isArray`; nobody who deploys can do anything about it.
process.noDeprecation = true;

// cdktf asks for the whole stack at each of thousands of tokens. It holds jsii's own calls, never a line of Python.
const captureStackTrace = Error.captureStackTrace;
Error.captureStackTrace = (object, below) => {
  if (Error.stackTraceLimit === Number.MAX_SAFE_INTEGER) object.stack = "";
  else captureStackTrace(object, below);
};

const BINDING = /^@(?:cdktf|cdktn)\/provider-/;
const INDEX = path.join(path.sep, "lib", "index.js");
const IGNORED = /^(?:"use strict";|\/\/.*|Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);|(?:exports\.\w+ = )+void 0;)\r?$/gm;
const EAGER = /^exports\.(\w+) = require\("(\.\/[^"]+)"\);\r?$/gm;
const LAZY = /^Object\.defineProperty\(exports, '(\w+)', \{ get: function \(\) \{ return require\('(\.\/[^']+)'\); \} \}\);\r?$/gm;

/** Map each exported name to the file it comes from, or return null if the file does anything else. */
function exportsOf(file, pattern) {
  const found = new Map();
  const source = fs.readFileSync(file, "utf8").replace(/\/\*[^]*?\*\//g, "");
  const rest = source.replace(pattern, (_line, name, from) => (found.set(name, from), ""));
  return rest.replace(IGNORED, "").trim() === "" ? found : null;
}

function lazyTwin(index) {
  try {
    const lib = path.dirname(index);
    const { name } = JSON.parse(fs.readFileSync(path.join(lib, "..", "package.json"), "utf8"));
    const twin = path.join(lib, "lazy-index.js");
    if (!BINDING.test(name) || !fs.existsSync(twin)) return index;
    const eager = exportsOf(index, EAGER);
    const lazy = exportsOf(twin, LAZY);
    const alike = eager && lazy && eager.size === lazy.size && [...eager].every(([key, file]) => lazy.get(key) === file);
    return alike ? twin : index;
  } catch {
    return index;
  }
}

// A third of what loading cdktf takes is its ZIP library, which only an asset that is an archive needs.
const ZIP_LIBRARY = "archiver";

/** Return a function that becomes the library of this name when it is first called or looked into. */
function onFirstUse(library) {
  return new Proxy(function () {}, {
    apply: (_target, self, values) => Reflect.apply(library(), self, values),
    get: (_target, key) => Reflect.get(library(), key),
  });
}

const load = Module._load;
if (typeof load === "function") {
  Module._load = function (...request) {
    const library = () => load.apply(this, request);
    const asked = request[0] === ZIP_LIBRARY && String(request[1]?.filename).includes(path.join("cdktf", "lib"));
    return asked ? onFirstUse(library) : library();
  };
}

const answers = new Map();
const resolveFilename = Module._resolveFilename;
if (typeof resolveFilename === "function") {
  Module._resolveFilename = function (...request) {
    const resolved = resolveFilename.apply(this, request);
    if (typeof resolved !== "string" || !resolved.endsWith(INDEX)) return resolved;
    if (!answers.has(resolved)) answers.set(resolved, lazyTwin(resolved));
    return answers.get(resolved);
  };
}
