// The serial console: output with line ends as boards send them, and the REPL on the bytes that arrive.

import { OPERATIONS } from "./operations.mjs";

const CTRL_A = 1, CTRL_B = 2, CTRL_C = 3, CTRL_D = 4, CTRL_E = 5, LF = 10, CR = 13;
const OUTPUT_US_PER_BYTE = 25; // 40 kB/s, a slow USB serial port
const FLUSH_BYTES = 512;
const PASTE_WINDOW = 1024;
const PASTE_REQUEST = "A\x01"; // after Ctrl-E at the raw prompt
const EXECUTE_AFTER = { friendly: Buffer.from("\r\n\x03\x04"), paste: Buffer.from("\x03\x04"), raw: Buffer.from("\x04\x05") };

export class Console {
  constructor(channel) {
    this.channel = channel;
    this.idle = false; // at the prompt: Ctrl-C is a key like any other
    this.last = 0; // last byte that was sent
    this.watched = null; // text that is being looked at, or nothing
    this.dropped = 0; // bytes still to drop
  }

  // --- what Syscalls needs

  /** Returns the count of bytes; negative: interrupted, the interpreter raises what is pending or reads again. */
  read(into) {
    if (this.channel.ctrlC) {
      this.channel.ctrlC = false; // it may have come with the call before: nothing has looked at it yet
      return -1;
    }
    return this.channel.call(OPERATIONS.CONSOLE_READ, 0, null, into);
  }

  readable() {
    return this.channel.call(OPERATIONS.CONSOLE_READY) > 0;
  }

  write(_stream, bytes) {
    if (this.watched !== null) this.watched += Buffer.from(bytes).toString("latin1");
    if (this.dropped) {
      const count = Math.min(this.dropped, bytes.length);
      this.dropped -= count;
      bytes = bytes.subarray(count);
    }
    // As on a board, text gets CR LF; a program that switched Ctrl-C off speaks binary.
    const plain = this.channel.interruptKey() < 0 && !this.idle;
    this.channel.output(plain ? bytes : this.withCarriageReturns(bytes));
    if (bytes.length) this.last = bytes[bytes.length - 1];
    this.channel.spentUs += OUTPUT_US_PER_BYTE * bytes.length;
    const full = this.channel.textBytes > FLUSH_BYTES;
    if (!this.idle && (full || this.last === LF || plain)) this.channel.call(OPERATIONS.SYNC);
  }

  withCarriageReturns(bytes) {
    if (!bytes.includes(LF)) return bytes;
    const out = [];
    let last = this.last;
    for (const byte of bytes) {
      if (byte === LF && last !== CR) out.push(CR);
      out.push(byte);
      last = byte;
    }
    return Uint8Array.from(out);
  }

  say(text) {
    this.write(1, Buffer.from(text, "utf8"));
  }

  // --- REPL

  /** Serve the REPL until it asks for a soft reset; true when it was in raw mode then. */
  repl(interpreter, startRaw) {
    this.mode = "friendly";
    if (startRaw) {
      this.dropped = Infinity; // the friendly banner
      interpreter.python.replInit();
      this.dropped = 0;
      this.feed(interpreter, CTRL_A);
    } else {
      interpreter.python.replInit();
    }
    const buffer = Buffer.alloc(4096);
    for (;;) {
      const count = this.readAtPrompt(buffer, EXECUTE_AFTER[this.mode]);
      for (const byte of buffer.subarray(0, count)) {
        const paste = byte === CTRL_E && this.mode === "raw";
        if (paste ? this.rawPaste(interpreter) : this.feed(interpreter, byte)) return this.mode === "raw";
      }
    }
  }

  readAtPrompt(buffer, ends) {
    this.idle = true;
    const count = this.channel.call(OPERATIONS.CONSOLE_READ, 0, ends, buffer);
    this.idle = false;
    return Math.max(0, count);
  }

  /** Give one byte to the REPL; true when it asks for a soft reset. */
  feed(interpreter, byte) {
    const control = byte <= CTRL_E;
    if (control) this.watched = "";
    this.idle = byte !== CR && byte !== LF && byte !== CTRL_D; // echo only: nothing runs
    const ended = interpreter.python.replProcessChar(byte);
    this.idle = false;
    if (control) {
      if (byte === CTRL_A && this.watched.includes("raw REPL")) this.mode = "raw";
      else if (byte === CTRL_B && this.watched.includes("MicroPython")) this.mode = "friendly";
      else if (byte === CTRL_E && this.watched.includes("paste mode")) this.mode = "paste";
      else if (byte <= CTRL_D && this.mode === "paste") this.mode = "friendly";
    }
    this.watched = null;
    return ended !== 0;
  }

  /** Raw paste, which the interpreter itself would read from a stdin that is not there. */
  rawPaste(interpreter) {
    const letters = Buffer.alloc(2);
    for (let got = 0; got < 2; ) got += this.readAtPrompt(letters.subarray(got), null);
    if (letters.toString("latin1") !== PASTE_REQUEST) return false;
    this.idle = true;
    this.say("R\x01" + String.fromCharCode(PASTE_WINDOW & 255, PASTE_WINDOW >> 8) + "\x01");
    this.idle = false;
    const pieces = [];
    const ends = Buffer.from([CTRL_C, CTRL_D]);
    for (let room = PASTE_WINDOW; ; ) {
      const piece = Buffer.alloc(room);
      const count = this.readAtPrompt(piece, ends);
      if (!count) continue;
      const last = piece[count - 1];
      if (last === CTRL_C || last === CTRL_D) {
        pieces.push(piece.subarray(0, count - 1));
        this.channel.output(Buffer.from(last === CTRL_D ? "\x04" : "\x04\x04>"));
        if (last === CTRL_C) return false;
        break;
      }
      pieces.push(piece.subarray(0, count));
      room -= count;
      if (room === 0) {
        this.channel.output(Buffer.from("\x01"));
        room = PASTE_WINDOW;
      }
    }
    this.idle = true;
    for (const piece of pieces) for (const byte of piece) interpreter.python.replProcessChar(byte);
    this.idle = false;
    this.dropped = 2; // the `OK` of the plain raw REPL
    return this.feed(interpreter, CTRL_D);
  }
}
