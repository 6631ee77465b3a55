// The system calls of the interpreter, answered from a file tree and a console.
//
// Numbers of errors and flags are those of musl, except that errors are MicroPython's own (`errno.ENOENT` is 2):
// the package's built-in file system raises 44 there.

export const ENOENT = 2, EIO = 5, EBADF = 9, EEXIST = 17, ENOTDIR = 20, EISDIR = 21, EINVAL = 22;
export const ENOSPC = 28, EROFS = 30, ENOTEMPTY = 39;
export const EINTR = 27; // the one number that C code compares with: retry after pending callbacks

const O_ACCMODE = 3, O_CREAT = 0x40, O_EXCL = 0x80, O_TRUNC = 0x200, O_APPEND = 0x400, O_DIRECTORY = 0x10000;
const MODE_DIRECTORY = 0o40755, MODE_FILE = 0o100644, MODE_TERMINAL = 0o20666;
const DIRENT_BYTES = 280, DIRENT_DIRECTORY = 4, DIRENT_FILE = 8;
const POLLIN = 1, POLLOUT = 4;
const BLOCK_BYTES = 4096;
const FIRST_FILE = 3; // 0, 1 and 2 are the console

export class FileError extends Error {
  constructor(errno) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

/** `path` as seen from `folder`, without `.` and `..`. */
function absolute(folder, path) {
  const parts = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part && part !== ".") parts.push(part);
  }
  return "/" + parts.join("/");
}

/** One open file: its own copy of the content, which reaches the tree at sync and close. */
class OpenFile {
  constructor(path, node, flags) {
    this.path = path;
    this.writable = (flags & O_ACCMODE) !== 0;
    this.appends = (flags & O_APPEND) !== 0;
    this.changed = this.writable && (flags & O_TRUNC) !== 0;
    this.data = flags & O_TRUNC ? new Uint8Array(0) : node.data;
    this.size = this.data.length;
    this.position = 0;
    this.written = this.programmed = 0; // bytes since the last sync; whole blocks of them at the chip
    this.borrowed = true; // `data` belongs to the tree until the first write
  }

  read(into) {
    const count = Math.max(0, Math.min(into.length, this.size - this.position));
    into.set(this.data.subarray(this.position, this.position + count));
    this.position += count;
    return count;
  }

  write(bytes, tree) {
    if (this.appends) this.position = this.size;
    const end = this.position + bytes.length;
    for (this.written += bytes.length; this.written > this.programmed; this.programmed += BLOCK_BYTES) {
      tree.program(this.path, Math.max(this.size, end));
    }
    if (this.borrowed || end > this.data.length) {
      const grown = new Uint8Array(Math.max(end, this.size * 2, 256));
      grown.set(this.data.subarray(0, this.size));
      this.data = grown;
      this.borrowed = false;
    }
    this.data.set(bytes, this.position);
    this.position = end;
    this.size = Math.max(this.size, end);
    this.changed = true;
    return bytes.length;
  }

  sync(tree) {
    if (!this.changed) return;
    tree.commit(this.path, this.data.slice(0, this.size));
    this.changed = false;
    this.written = this.programmed = 0;
  }
}

export class Syscalls {
  /**
   * tree: find(path) -> {directory, data, modified} | undefined, names(path), create, program, commit, remove,
   *       rename, makeDirectory, removeDirectory (each throws FileError), space() -> {blockBytes, blocks, free}
   * console: read(into) -> count or -1 when interrupted, write(stream, bytes), readable()
   */
  constructor(tree, console) {
    this.tree = tree;
    this.console = console;
    this.reset();
  }

  /** Forget open files, as a reset does: what was not synced is lost. */
  reset() {
    this.folder = "/";
    this.open = new Map();
    this.nextFile = FIRST_FILE;
  }

  /** `memory` of the interpreter that will call. */
  bind(memory) {
    this.memory = memory;
  }

  get bytes() {
    if (this._bytes?.buffer !== this.memory.buffer) this._bytes = new Uint8Array(this.memory.buffer);
    return this._bytes;
  }

  get view() {
    if (this._view?.buffer !== this.memory.buffer) this._view = new DataView(this.memory.buffer);
    return this._view;
  }

  /** Functions by the names under which the interpreter imports them. */
  imports() {
    const table = {
      __syscall_openat: (_at, path, flags) => this.openFile(this.path(path), flags),
      __syscall_stat64: (path, into) => this.stat(this.path(path), into),
      __syscall_lstat64: (path, into) => this.stat(this.path(path), into),
      __syscall_newfstatat: (_at, path, into) => this.stat(this.path(path), into),
      __syscall_fstat64: (file, into) => this.stat(this.file(file).path, into),
      __syscall_statfs64: (_path, _size, into) => this.statFileSystem(into),
      __syscall_getdents64: (file, into, size) => this.listFolder(this.file(file), into, size),
      __syscall_mkdirat: (_at, path) => this.tree.makeDirectory(this.path(path)),
      __syscall_rmdir: (path) => this.tree.removeDirectory(this.path(path)),
      __syscall_unlinkat: (_at, path) => this.tree.remove(this.path(path)),
      __syscall_renameat: (_at, from, _at2, to) => this.tree.rename(this.path(from), this.path(to)),
      __syscall_chdir: (path) => this.changeFolder(this.path(path)),
      __syscall_getcwd: (into, size) => this.writeText(this.folder, into, size),
      __syscall_poll: (list, count) => this.poll(list, count),
      __syscall_poll_nonblocking: (list, count) => this.poll(list, count),
    };
    const wasi = {
      fd_read: (file, list, count, done) => this.read(file, list, count, done),
      fd_write: (file, list, count, done) => this.write(file, list, count, done),
      fd_seek: (file, offset, whence, into) => this.seek(this.file(file), Number(offset), whence, into),
      fd_sync: (file) => file < FIRST_FILE ? 0 : this.file(file).sync(this.tree),
      fd_close: (file) => this.close(file),
    };
    return { ...guarded(table, -1), ...guarded(wasi, 1) };
  }

  path(pointer) {
    return absolute(this.folder, this.text(pointer));
  }

  text(pointer) {
    const end = this.bytes.indexOf(0, pointer);
    return Buffer.from(this.memory.buffer, pointer, end - pointer).toString("utf8");
  }

  writeText(text, into, size) {
    const encoded = Buffer.from(text + "\0", "utf8");
    if (encoded.length > size) throw new FileError(EINVAL);
    this.bytes.set(encoded, into);
    return encoded.length;
  }

  file(number) {
    const file = this.open.get(number);
    if (!file) throw new FileError(EBADF);
    return file;
  }

  openFile(path, flags) {
    let node = this.tree.find(path);
    if (node?.directory !== undefined && node.directory !== Boolean(flags & O_DIRECTORY)) {
      throw new FileError(node.directory ? EISDIR : ENOTDIR);
    }
    if (node && flags & O_CREAT && flags & O_EXCL) throw new FileError(EEXIST);
    if (!node) {
      if (!(flags & O_CREAT)) throw new FileError(ENOENT);
      this.tree.create(path);
      node = this.tree.find(path);
    }
    const file = flags & O_DIRECTORY ? { path, entries: null, position: 0 } : new OpenFile(path, node, flags);
    if (file.writable) this.tree.checkWritable(path);
    while (this.open.has(this.nextFile)) this.nextFile++;
    this.open.set(this.nextFile, file);
    return this.nextFile++;
  }

  close(number) {
    if (number < FIRST_FILE) return 0;
    const file = this.file(number);
    this.open.delete(number);
    this.nextFile = Math.min(this.nextFile, number);
    file.sync?.(this.tree);
    return 0;
  }

  read(number, list, count, done) {
    let total = 0;
    for (const part of this.parts(list, count)) {
      const got = number < FIRST_FILE ? this.console.read(part) : this.file(number).read(part);
      if (got < 0) throw new FileError(EINTR);
      total += got;
      if (got < part.length) break;
    }
    this.view.setUint32(done, total, true);
    return 0;
  }

  write(number, list, count, done) {
    let total = 0;
    for (const part of this.parts(list, count)) {
      if (number < FIRST_FILE) this.console.write(number, part);
      else if (!this.file(number).writable) throw new FileError(EBADF);
      else this.file(number).write(part, this.tree);
      total += part.length;
    }
    this.view.setUint32(done, total, true);
    return 0;
  }

  /** The memory pieces of one scatter-gather list. */
  *parts(list, count) {
    for (let i = 0; i < count; i++) {
      const start = this.view.getUint32(list + 8 * i, true);
      yield this.bytes.subarray(start, start + this.view.getUint32(list + 8 * i + 4, true));
    }
  }

  seek(file, offset, whence, into) {
    const position = offset + [0, file.position, file.size][whence];
    if (!(position >= 0)) throw new FileError(EINVAL);
    file.position = position;
    this.view.setBigInt64(into, BigInt(position), true);
    return 0;
  }

  stat(path, into) {
    const node = this.tree.find(path);
    if (!node) throw new FileError(ENOENT);
    this.bytes.fill(0, into, into + 96);
    this.view.setUint32(into + 4, node.directory ? MODE_DIRECTORY : MODE_FILE, true);
    this.view.setUint32(into + 8, 1, true);
    this.view.setBigInt64(into + 24, BigInt(node.directory ? 0 : node.size ?? node.data.length), true);
    for (const time of [40, 56, 72]) this.view.setBigInt64(into + time, BigInt(node.modified), true);
    return 0;
  }

  statFileSystem(into) {
    const { blockBytes, blocks, free } = this.tree.space();
    this.bytes.fill(0, into, into + 88);
    for (const offset of [4, 60]) this.view.setUint32(into + offset, blockBytes, true);
    this.view.setBigInt64(into + 8, BigInt(blocks), true);
    for (const offset of [16, 24]) this.view.setBigInt64(into + offset, BigInt(free), true);
    this.view.setUint32(into + 56, 255, true);
    return 0;
  }

  listFolder(folder, into, size) {
    folder.entries ??= this.tree.names(folder.path);
    let used = 0;
    while (used + DIRENT_BYTES <= size && folder.position < folder.entries.length) {
      const name = folder.entries[folder.position++];
      const at = into + used;
      const directory = this.tree.find(absolute(folder.path, name)).directory;
      this.view.setBigUint64(at, BigInt(folder.position), true);
      this.view.setBigUint64(at + 8, BigInt(folder.position), true);
      this.view.setUint16(at + 16, DIRENT_BYTES, true);
      this.view.setUint8(at + 18, directory ? DIRENT_DIRECTORY : DIRENT_FILE);
      this.writeText(name, at + 19, 256);
      used += DIRENT_BYTES;
    }
    return used;
  }

  changeFolder(path) {
    if (!this.tree.find(path)?.directory) throw new FileError(ENOENT);
    this.folder = path;
    return 0;
  }

  poll(list, count) {
    let ready = 0;
    for (let i = 0; i < count; i++) {
      const entry = list + 8 * i;
      const number = this.view.getInt32(entry, true);
      const wanted = this.view.getInt16(entry + 4, true);
      const can = number !== 0 || this.console.readable() ? POLLIN | POLLOUT : POLLOUT;
      this.view.setInt16(entry + 6, wanted & can, true);
      if (wanted & can) ready++;
    }
    return ready;
  }
}

/** The same functions, with FileError turned into its number times `sign`. */
function guarded(table, sign) {
  const wrap = (action) => (...args) => {
    try {
      return action(...args) ?? 0;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return sign * error.errno;
    }
  };
  return Object.fromEntries(Object.entries(table).map(([name, action]) => [name, wrap(action)]));
}
