"use strict";
/*
 * Preload hook of jsii's Node process. As published, `bin/jsii-runtime.js` starts a second Node with `lib/program.js`,
 * copies every message between its own pipes and descriptor 3 of the second, and wraps what libraries print there into
 * lines of JSON. Here the first process runs the program itself. Where the files are not as known, or Node does not let
 * itself be hooked, jsii starts as published.
 */
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { Writable } = require("node:stream");

const RUNTIME = path.join("bin", "jsii-runtime.js");
const TALKS_ON = "readFD:3,writeFD:3}";
const PIPES = { readSync: 0, writeSync: 1 };
const LINKED = "--preserve-symlinks"; // an option that jsii gives the second process alone

/** Return the program that the runtime would start, or undefined where it is not the one that is known. */
function programOf(runtime) {
  const program = path.resolve(runtime, "..", "..", "lib", "program.js");
  try {
    return fs.readFileSync(program, "utf8").includes(TALKS_ON) ? program : undefined;
  } catch {
    return undefined;
  }
}

/** Let the program talk on the pipes that the runtime has to Python. */
function talkOnPipes() {
  for (const [name, pipe] of Object.entries(PIPES)) {
    const original = fs[name];
    fs[name] = (descriptor, ...rest) => original(descriptor === 3 ? pipe : descriptor, ...rest);
  }
}

/** Send what is printed as jsii's client expects it, since standard output carries the messages. */
function printInJson() {
  for (const name of ["stdout", "stderr"]) {
    const stream = new Writable({
      write(chunk, _encoding, done) {
        fs.writeSync(2, `${JSON.stringify({ [name]: chunk.toString("base64") })}\n`);
        done();
      },
    });
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
  }
}

const main = process.argv[1] ?? "";
const given = (process.env.NODE_OPTIONS ?? "").split(" ").includes(LINKED);
const program = given && process.platform !== "win32" && main.endsWith(RUNTIME) ? programOf(main) : undefined;
if (program !== undefined) {
  try {
    const resolve = Module._resolveFilename;
    Module._resolveFilename = (request, parent, isMain, ...rest) =>
      isMain ? program : resolve.call(Module, request, parent, isMain, ...rest);
    process.execArgv.push(LINKED);
    talkOnPipes();
    printInJson();
  } catch {
    // Read-only.
  }
}
