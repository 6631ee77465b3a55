// The pipe to the world: one blocking call at a time, and output that needs no answer.
//
// Request:  length u32 | operation u8 | interrupt key i8 | 0 u16 | spent us u32 | argument i32 | wanted u32 | data
// Reply:    length u32 | flags u8 | 0 u8 | interrupt count u16 | result i32 | now us f64 | interrupts u16 ... | data
// `length` counts what follows it; all little-endian.

import { readSync, writeSync } from "node:fs";
import { OPERATIONS } from "./operations.mjs";

const REQUEST_BYTES = 20, REPLY_BYTES = 20;
const FLAG_RESET = 1, FLAG_CTRL_C = 2;

/** Thrown through the interpreter when the world resets or switches off the board. */
export class BoardReset {}

export class Channel {
  constructor(replyFile, requestFile) {
    this.replyFile = replyFile;
    this.requestFile = requestFile;
    this.request = Buffer.alloc(65536);
    this.reply = Buffer.alloc(65536);
    this.held = 0; // bytes of `request` in use
    this.text = Buffer.alloc(4096); // output that travels with the next call
    this.textBytes = 0;
    this.nowUs = 0; // virtual time of the last reply
    this.spentUs = 0; // time the board spent since then
    this.interruptKey = () => -1;
    this.onInterrupt = () => {};
    this.onCtrlC = () => {};
    this.ctrlC = false; // came, and no read of the console has asked the interpreter about it since
  }

  /**
   * Call the world and wait. `into` receives the reply's data as far as it fits.
   * Returns the result: negative is an error number.
   */
  call(operation, argument = 0, data = null, into = null) {
    if (this.textBytes) this.put(OPERATIONS.OUTPUT, 0, this.text.subarray(0, this.textBytes), 0);
    this.textBytes = 0;
    this.put(operation, argument, data, into ? into.length : 0);
    const reply = this.exchange();
    const flags = reply[4];
    const interrupts = reply.readUInt16LE(6);
    const result = reply.readInt32LE(8);
    this.nowUs = reply.readDoubleLE(12);
    this.spentUs = 0;
    if (flags & FLAG_RESET) throw new BoardReset();
    const start = REPLY_BYTES + 2 * interrupts;
    this.data = reply.subarray(start);
    if (into) into.set(this.data.subarray(0, into.length));
    if (flags & FLAG_CTRL_C) {
      this.ctrlC = true;
      this.onCtrlC();
    }
    if (interrupts) {
      const sources = [];
      for (let at = REPLY_BYTES; at < start; at += 2) sources.push(reply.readUInt16LE(at));
      for (const source of sources) this.onInterrupt(source); // may call the world itself
    }
    return result;
  }

  /** Append console output; it travels with the next call. */
  output(bytes) {
    if (this.textBytes + bytes.length > this.text.length) {
      const grown = Buffer.alloc((this.textBytes + bytes.length) * 2);
      this.text.copy(grown, 0, 0, this.textBytes);
      this.text = grown;
    }
    this.text.set(bytes, this.textBytes);
    this.textBytes += bytes.length;
  }

  put(operation, argument, data, wanted) {
    const size = REQUEST_BYTES + (data ? data.length : 0);
    if (this.held + size > this.request.length) {
      const grown = Buffer.alloc((this.held + size) * 2);
      this.request.copy(grown, 0, 0, this.held);
      this.request = grown;
    }
    const at = this.held;
    this.request.writeUInt32LE(size - 4, at);
    this.request[at + 4] = operation;
    this.request.writeInt8(this.interruptKey(), at + 5);
    this.request.writeUInt16LE(0, at + 6);
    this.request.writeUInt32LE(Math.min(this.spentUs, 0xffffffff), at + 8);
    this.request.writeInt32LE(argument, at + 12);
    this.request.writeUInt32LE(wanted, at + 16);
    if (data) this.request.set(data, at + REQUEST_BYTES);
    this.held += size;
  }

  exchange() {
    for (let done = 0; done < this.held; ) done += writeSync(this.requestFile, this.request, done, this.held - done);
    this.held = 0;
    let got = this.receive(0, 4);
    const size = 4 + this.reply.readUInt32LE(0);
    if (size > this.reply.length) {
      const grown = Buffer.alloc(size * 2);
      this.reply.copy(grown, 0, 0, got);
      this.reply = grown;
    }
    this.receive(got, size);
    return this.reply.subarray(0, size);
  }

  /** Read until `wanted` bytes are in the reply buffer. The world's end is ours too. */
  receive(got, wanted) {
    while (got < wanted) {
      const count = readSync(this.replyFile, this.reply, got, this.reply.length - got, null);
      if (count === 0) process.exit(0);
      got += count;
    }
    return got;
  }
}
