// Runs one script on MicroPython as a plain runtime: host files are readable, standard streams are pipes.
// Arguments: a JSON object {script, arguments, search}.

import { readFileSync, readSync, readdirSync, statSync, writeSync } from "node:fs";
import { Interpreter } from "./interpreter.mjs";
import { EROFS, FileError, Syscalls } from "./syscalls.mjs";

const BUFFER_BYTES = 65536;

/** The host's files, read-only. */
class HostTree {
  find(path) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return undefined;
    return {
      directory: found.isDirectory(),
      size: found.size,
      modified: Math.floor(found.mtimeMs / 1000),
      get data() {
        return readFileSync(path);
      },
    };
  }

  names(path) {
    return readdirSync(path);
  }

  space() {
    return { blockBytes: 4096, blocks: 0, free: 0 };
  }
}
for (const change of ["create", "commit", "remove", "rename", "makeDirectory", "removeDirectory", "checkWritable"]) {
  HostTree.prototype[change] = () => {
    throw new FileError(EROFS);
  };
}

/** Standard streams with buffers: MicroPython reads and prints in very small pieces. */
class Pipes {
  input = Buffer.alloc(BUFFER_BYTES);
  inputStart = 0;
  inputEnd = 0;
  output = Buffer.alloc(BUFFER_BYTES);
  outputEnd = 0;

  read(into) {
    if (this.inputStart === this.inputEnd) {
      this.flush();
      this.inputStart = 0;
      this.inputEnd = readSync(0, this.input);
    }
    const count = Math.min(into.length, this.inputEnd - this.inputStart);
    into.set(this.input.subarray(this.inputStart, this.inputStart + count));
    this.inputStart += count;
    return count;
  }

  readable() {
    return true;
  }

  write(stream, bytes) {
    if (stream === 2 || bytes.length > this.output.length) {
      this.flush();
      writeAll(stream, bytes);
      return;
    }
    if (this.outputEnd + bytes.length > this.output.length) this.flush();
    this.output.set(bytes, this.outputEnd);
    this.outputEnd += bytes.length;
  }

  flush() {
    writeAll(1, this.output.subarray(0, this.outputEnd));
    this.outputEnd = 0;
  }
}

function writeAll(stream, bytes) {
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(stream, bytes, done);
    } catch (error) {
      if (error.code === "EPIPE") process.exit(0);
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

/** The code a SystemExit asks for: its number, 0 without one, 1 for anything else. */
function exitCode(traceback) {
  const said = traceback.trimEnd().split("\n").at(-1).replace(/^SystemExit:?\s*/, "");
  if (said === "" || said === "None") return 0;
  return /^-?\d+$/.test(said) ? Number(said) & 255 : 1;
}

const task = JSON.parse(process.argv[2]);
const pipes = new Pipes();
const calls = new Syscalls(new HostTree(), pipes);
const interpreter = await Interpreter.load(calls.imports());
calls.bind(interpreter.memory);
let code = 0;
try {
  const quote = (value) => JSON.stringify(value);
  interpreter.run(
    `import sys; sys.path[:] = ${quote([...task.search, ".frozen"])}; sys.argv[:] = ${quote([task.script, ...task.arguments])}; del sys`,
  );
  interpreter.run(`execfile(${quote(task.script)})`);
} catch (error) {
  if (error.name !== "PythonError") throw error;
  code = error.type === "SystemExit" ? exitCode(error.message) : 1;
  if (error.type !== "SystemExit") {
    pipes.flush();
    writeAll(2, Buffer.from(error.message.replace('  File "<stdin>", line 1, in <module>\n', ""), "utf8"));
  }
}
pipes.flush();
process.exit(code);
