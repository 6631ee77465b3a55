// The board's files as the interpreter sees them: a mirror of the flash that the world keeps.
// Every lasting change is a call to the world, which may cut the power instead of answering.

import { EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, FileError } from "./syscalls.mjs";
import { OPERATIONS } from "./operations.mjs";

export class Flash {
  constructor(channel) {
    this.channel = channel;
    this.nodes = new Map();
    this.version = -1; // number of the last change that both sides know
  }

  /** Take over the world's copy: entries of kind u8 | path length u16 | data length u32 | modified u32 | path | data. */
  load(bytes, version) {
    this.nodes = new Map([["/", folder()]]);
    for (let at = 0; at < bytes.length; ) {
      const [kind, pathBytes] = [bytes[at], bytes.readUInt16LE(at + 1)];
      const [dataBytes, modified] = [bytes.readUInt32LE(at + 3), bytes.readUInt32LE(at + 7)];
      const path = bytes.toString("utf8", at + 11, at + 11 + pathBytes);
      at += 11 + pathBytes;
      const data = Uint8Array.prototype.slice.call(bytes, at, at + dataBytes);
      this.nodes.set(path, kind ? folder(modified) : { directory: false, data, modified });
      at += dataBytes;
    }
    this.version = version;
  }

  find(path) {
    return this.nodes.get(path);
  }

  names(path) {
    const prefix = path === "/" ? "/" : path + "/";
    const names = [];
    for (const other of this.nodes.keys()) {
      if (other !== "/" && other.startsWith(prefix) && !other.includes("/", prefix.length)) {
        names.push(other.slice(prefix.length));
      }
    }
    return names.sort();
  }

  space() {
    const answer = Buffer.alloc(12);
    this.channel.call(OPERATIONS.FLASH_SPACE, 0, null, answer);
    const [blockBytes, blocks, free] = [0, 4, 8].map((at) => answer.readUInt32LE(at));
    return { blockBytes, blocks, free };
  }

  checkWritable() {}

  /** A block of `path`, which will be `size` bytes long, goes to the chip; nobody sees it before the commit. */
  program(path, size) {
    this.call(OPERATIONS.FLASH_PROGRAM, size, named(path));
  }

  create(path) {
    this.checkParent(path);
    this.commit(path, new Uint8Array(0));
  }

  commit(path, data) {
    const modified = this.change(OPERATIONS.FLASH_COMMIT, path, data);
    this.nodes.set(path, { directory: false, data, modified });
  }

  remove(path) {
    if (this.existing(path).directory) throw new FileError(EISDIR);
    this.change(OPERATIONS.FLASH_REMOVE, path);
    this.nodes.delete(path);
  }

  makeDirectory(path) {
    if (this.nodes.has(path)) throw new FileError(EEXIST);
    this.checkParent(path);
    this.nodes.set(path, folder(this.change(OPERATIONS.FLASH_MAKE_FOLDER, path)));
  }

  removeDirectory(path) {
    if (!this.existing(path).directory) throw new FileError(ENOTDIR);
    if (path === "/") throw new FileError(EINVAL);
    if (this.names(path).length) throw new FileError(ENOTEMPTY);
    this.change(OPERATIONS.FLASH_REMOVE, path);
    this.nodes.delete(path);
  }

  rename(from, to) {
    const source = this.existing(from);
    const target = this.nodes.get(to);
    if (target?.directory && !source.directory) throw new FileError(EISDIR);
    if (target && !target.directory && source.directory) throw new FileError(ENOTDIR);
    if (target?.directory && this.names(to).length) throw new FileError(ENOTEMPTY);
    if (to.startsWith(from + "/")) throw new FileError(EINVAL);
    this.checkParent(to);
    this.change(OPERATIONS.FLASH_RENAME, from, Buffer.from(to, "utf8"));
    for (const [path, node] of [...this.nodes]) {
      if (path !== from && !path.startsWith(from + "/")) continue;
      this.nodes.delete(path);
      this.nodes.set(to + path.slice(from.length), node);
    }
  }

  existing(path) {
    const node = this.nodes.get(path);
    if (!node) throw new FileError(ENOENT);
    return node;
  }

  checkParent(path) {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    if (!this.existing(parent).directory) throw new FileError(ENOTDIR);
  }

  /** One lasting change; the answer is the time of the change. Data: path length u16 | path | content. */
  change(operation, path, content = new Uint8Array(0)) {
    const result = this.call(operation, 0, Buffer.concat([named(path), content]));
    this.version++;
    return result;
  }

  call(operation, argument, data) {
    const result = this.channel.call(operation, argument, data);
    if (result < 0) throw new FileError(-result);
    return result;
  }
}

/** A path as it goes to the world: length u16 | path. */
function named(path) {
  const name = Buffer.from(path, "utf8");
  const length = Buffer.alloc(2);
  length.writeUInt16LE(name.length);
  return Buffer.concat([length, name]);
}

function folder(modified = 0) {
  return { directory: true, modified };
}
