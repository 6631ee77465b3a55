// Loads the official MicroPython WebAssembly build with system calls of our own, and puts it back to any moment.

import { readFileSync } from "node:fs";

const PACKAGE = new URL("./node_modules/@micropython/micropython-webassembly-pyscript/", import.meta.url);
const FIRST_HEAP_BYTES = 256 * 1024; // grows by itself: RAM is judged by gc.mem_alloc(), not by this
const PYSTACK_BYTES = 8192;
const STATIC_BYTES = 256 * 1024; // where the build keeps its variables
const ZEROS = Buffer.alloc(65536);
const ROM_BYTES = 256 * 1024; // as in boardfs.py

// The package frees C objects when JavaScript collects their proxies. After `restore` those ids name
// other objects, so nothing may be freed behind our back.
globalThis.FinalizationRegistry = class {
  register() {}
  unregister() {}
};

const PROXY_TABLES = ["proxy_js_ref", "proxy_js_ref_map", "proxy_js_map", "proxy_js_existing"];

export class Interpreter {
  /** `overrides`: functions that replace the package's own imports of the same name. */
  static async load(overrides) {
    const interpreter = new Interpreter();
    const binary = readFileSync(new URL("micropython.wasm", PACKAGE));
    WebAssembly.instantiate = async (_binary, imports) => {
      for (const table of Object.values(imports)) Object.assign(table, overrides);
      const module = new WebAssembly.Module(binary);
      interpreter.instance = new WebAssembly.Instance(module, imports);
      return { instance: interpreter.instance, module };
    };
    const { loadMicroPython } = await import(new URL("micropython.mjs", PACKAGE));
    interpreter.python = await loadMicroPython({
      url: new URL("micropython.wasm", PACKAGE).pathname,
      heapsize: FIRST_HEAP_BYTES,
      pystack: PYSTACK_BYTES,
      linebuffer: false,
      romfs: new Uint8Array(ROM_BYTES).fill(0xff), // empty: `loadRom` brings the content
    });
    interpreter.findDepth();
    return interpreter;
  }

  get memory() {
    return this.instance.exports.memory;
  }

  /** Code of the key that interrupts a program, -1 when none does (`micropython.kbd_intr`). */
  get interruptKey() {
    return this.instance.exports.mp_hal_get_interrupt_char();
  }

  interrupt() {
    this.instance.exports.mp_sched_keyboard_interrupt();
  }

  /** Run source text. A Python exception arrives as a JavaScript error with `type` and the traceback. */
  run(source) {
    this.python.runPython(source);
  }

  /** Remember this moment: RAM, the C stack and the objects shared with JavaScript. */
  save() {
    const bytes = new Uint8Array(this.memory.buffer);
    let used = bytes.length;
    while (used && bytes[used - 1] === 0) used--;
    const tables = PROXY_TABLES.map((name) => [name, clone(globalThis[name])]);
    this.image = {
      bytes: bytes.slice(0, used),
      stack: this.instance.exports.emscripten_stack_get_current(),
      tables,
      next: globalThis.proxy_js_ref_next,
    };
  }

  /**
   * Bytes of heap that are reachable now, with a few of the question's own; the program feels nothing of it.
   *
   * The build does not scan the stack of WebAssembly, so `gc.collect()` only asks for a collection when the outermost
   * call begins. Here the interpreter is made to believe in that, and put back.
   */
  heapInUse() {
    const boot = this.image;
    this.save();
    new DataView(this.memory.buffer).setUint32(this.depthAt, 0, true);
    this.run("import gc; gc.collect()");
    this.run("import _depth; _depth.tell(gc.mem_alloc())"); // collects as it begins
    this.restore();
    this.image = boot;
    return this.told;
  }

  /** Where the interpreter counts how deep JavaScript and Python have called each other. */
  findDepth() {
    const words = () => new Uint32Array(this.memory.buffer.slice(0, STATIC_BYTES));
    const seen = [words()];
    const look = () => {
      seen.push(words());
      if (seen.length < 4) this.run("_depth.look()");
    };
    this.python.registerJsModule("_depth", { look, tell: (bytes) => (this.told = bytes) });
    this.run("import _depth; _depth.look(); del _depth");
    const counts = (at) => seen.every((moment, depth) => moment[at] === depth);
    const found = [...seen[0].keys()].filter(counts);
    if (found.length !== 1) throw new Error(`${found.length} places may be the depth of calls`);
    this.depthAt = 4 * found[0];
  }

  /** Take over the content of the ROM partition, which lies at `at` in memory; a reset keeps it. */
  loadRom(at, content) {
    for (const bytes of [this.image.bytes, new Uint8Array(this.memory.buffer)]) {
      bytes.fill(0xff, at, at + ROM_BYTES);
      bytes.set(content, at);
    }
  }

  /** Back to the saved moment, as a reset does: everything in RAM since then is lost. About 1 ms. */
  restore() {
    const bytes = Buffer.from(this.memory.buffer);
    bytes.set(this.image.bytes);
    // Only what was written is cleared: the pages that no program ever touched stay free on the host.
    for (let at = this.image.bytes.length; at < bytes.length; at += ZEROS.length) {
      const chunk = bytes.subarray(at, at + ZEROS.length);
      if (ZEROS.compare(chunk, 0, chunk.length, 0, chunk.length) !== 0) chunk.fill(0);
    }
    this.instance.exports._emscripten_stack_restore(this.image.stack);
    for (const [name, table] of this.image.tables) globalThis[name] = clone(table);
    globalThis.proxy_js_ref_next = this.image.next;
  }
}

function clone(table) {
  return table instanceof Map ? new Map(table) : [...table];
}
