// One virtual board: the interpreter, its console and its flash behind a pipe to the world.
// Arguments: the numbers of two inherited files, one with the world's replies, one for the board's requests.

import { readFileSync, readdirSync } from "node:fs";
import { BoardReset, Channel } from "./channel.mjs";
import { Console } from "./console.mjs";
import { Flash } from "./flash.mjs";
import { Interpreter } from "./interpreter.mjs";
import { OPERATIONS } from "./operations.mjs";
import { Syscalls } from "./syscalls.mjs";

const TICKS_CALL_US = 5; // what reading the clock costs on an ESP32, so that busy loops end
const SYNC_AFTER_US = 1000; // a busy loop lets the world catch up this often
const TICKS_MASK = 0x3fffffff; // time.ticks_us() wraps at 2**30; no larger number costs heap

class Board {
  constructor() {
    this.channel = new Channel(Number(process.argv[2]), Number(process.argv[3]));
    this.console = new Console(this.channel);
    this.flash = new Flash(this.channel);
    this.calls = new Syscalls(this.flash, this.console);
    this.clockUs = 0; // what the RTC showed, as Unix time, at virtual time zero
    this.random = 1;
    this.romAt = 0; // where the interpreter keeps the ROM partition
    this.romVersion = 0; // of the content that is there
  }

  async load() {
    this.interpreter = await Interpreter.load({
      ...this.calls.imports(),
      mp_js_ticks_ms: () => Math.floor(this.ticksUs() / 1000),
      mp_js_time_ms: () => (this.clockUs + this.ticksUs()) / 1000,
      mp_js_random_u32: () => this.nextRandom(),
    });
    this.calls.bind(this.interpreter.memory);
    this.interpreter.python.registerJsModule("_host", {
      call: (...args) => this.hostCall(...args),
      ticks_us: () => this.ticksUs() & TICKS_MASK,
      clock_s: () => Math.floor((this.clockUs + this.ticksUs()) / 1e6),
      clock_us: () => Math.floor((this.clockUs + this.channel.nowUs + this.channel.spentUs) % 1e6),
      random: () => this.nextRandom() & TICKS_MASK,
      rom_at: (address) => (this.romAt = address),
      on_interrupt: (dispatch) => (this.channel.onInterrupt = (source) => this.interrupt(source, dispatch)),
    });
    this.loadShim();
    this.interpreter.save();
    this.shimBytes = this.interpreter.heapInUse(); // C on a real chip
    this.channel.onCtrlC = () => this.interpreter.interrupt();
    this.channel.interruptKey = () => (this.console.idle ? -1 : this.interpreter.interruptKey);
  }

  /** Import the modules that stand for the chip's own, so that they are there at every boot. */
  loadShim() {
    const folder = new URL("../shim/", import.meta.url);
    const nodes = this.flash.nodes;
    for (const name of readdirSync(folder, { recursive: true })) {
      if (!name.endsWith(".py") || name === "operations.py") continue;
      const data = Buffer.from(withNumbers(readFileSync(new URL(name, folder), "utf8")));
      nodes.set("/.board/" + name, { directory: false, data, modified: 0 });
    }
    for (const name of ["/", "/.board", "/.board/machine"]) nodes.set(name, { directory: true, modified: 0 });
    this.interpreter.run("import sys; sys.path.insert(0, '/.board'); import prelude; sys.path.pop(0)");
    this.interpreter.run("del sys, prelude; import gc; gc.collect(); del gc");
  }

  interrupt(source, dispatch) {
    if (source >> 8 !== OPERATIONS.INTERRUPT_HEAP) return dispatch(source);
    this.channel.call(OPERATIONS.HEAP, this.interpreter.heapInUse() - this.shimBytes);
  }

  ticksUs() {
    const channel = this.channel;
    channel.spentUs += TICKS_CALL_US;
    if (channel.spentUs > SYNC_AFTER_US) channel.call(OPERATIONS.SYNC);
    return channel.nowUs + channel.spentUs;
  }

  /** xorshift32, seeded by the world at every boot. */
  nextRandom() {
    let x = this.random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.random = x >>> 0;
    return this.random;
  }

  hostCall(operation, argument, outAt, outBytes, intoAt, intoBytes) {
    const memory = this.calls.bytes;
    const out = outBytes ? memory.subarray(outAt, outAt + outBytes) : null;
    const into = intoBytes ? memory.subarray(intoAt, intoAt + intoBytes) : null;
    const result = this.channel.call(operation, argument, out, into);
    if (operation === OPERATIONS.RTC_SET) this.clockUs = this.channel.data.readDoubleLE(0);
    return result;
  }

  run() {
    let raw = false;
    for (;;) {
      try {
        this.start();
        raw = this.boot(raw);
        this.console.say("MPY: soft reboot\r\n");
        this.channel.call(OPERATIONS.SOFT_RESET);
      } catch (error) {
        if (!(error instanceof BoardReset)) throw error;
        raw = false;
      }
    }
  }

  /** Wait for power and begin with empty RAM. */
  start() {
    this.console.idle = true;
    this.channel.textBytes = 0;
    const version = this.channel.call(OPERATIONS.BOOT, this.flash.version);
    const data = this.channel.data;
    this.clockUs = data.readDoubleLE(0);
    this.random = data.readUInt32LE(8) || 1;
    if (version !== this.flash.version) this.flash.load(data.subarray(12), version);
    this.console.idle = false;
    this.calls.reset();
    this.loadRom();
    this.interpreter.restore();
    this.interpreter.run("import random; random.seed(); del random");
    this.interpreter.run("import _vfs; _vfs.mount_rom(); del _vfs");
  }

  loadRom() {
    const version = this.channel.call(OPERATIONS.ROM_READ, this.romVersion);
    if (version !== this.romVersion) this.interpreter.loadRom(this.romAt, this.channel.data);
    this.romVersion = version;
  }

  /** boot.py, main.py, REPL, as boards do; returns when a soft reset is asked for, true from raw mode. */
  boot(raw) {
    if (this.runFile("boot.py")) return raw;
    if (!raw && this.runFile("main.py")) return raw;
    return this.console.repl(this.interpreter, raw);
  }

  /** Run a file in `__main__`; true when it raised SystemExit. */
  runFile(name) {
    if (!this.flash.find("/" + name)) return false;
    try {
      this.interpreter.run(`execfile("${name}")`);
    } catch (error) {
      if (error.name !== "PythonError") throw error;
      if (error.type === "SystemExit") return true;
      this.console.say(error.message.replace('  File "<stdin>", line 1, in <module>\n', ""));
    }
    return false;
  }
}

/** Source with the operations' numbers for their names: every name would take a place in the board's table of names. */
function withNumbers(source) {
  const plain = source.replace(/^import operations as op\n/m, "");
  return plain.replace(/\bop\.([A-Z0-9_]+)\b/g, (_, name) => OPERATIONS[name]);
}

try {
  const board = new Board();
  await board.load();
  board.run();
} catch (error) {
  // The package is one line of 100 kB: keep Node from printing it.
  console.error(`${error.name}: ${error.message}\n${error.stack?.split("\n").slice(0, 8).join("\n").slice(0, 2000)}`);
  process.exit(1);
}
