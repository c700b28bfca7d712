import { statSync } from 'node:fs'

/**
 * Files that were opened by their path: whether they are still there. What is written to one that was removed or
 * replaced is gone with the process.
 */
export class FilesInPlace {
  readonly #inodes: ReadonlyMap<string, bigint>

  /** `files` are there now */
  constructor(files: readonly string[]) {
    this.#inodes = new Map(files.map((file) => [file, inodeOf(file)!]))
  }

  /** An error that names the first file that is no longer what it was. */
  moved(): Error | undefined {
    for (const [file, inode] of this.#inodes) {
      if (inodeOf(file) !== inode)
        return new Error(
          `${file} was removed or replaced while it was open: nothing more is taken; stop Hopper and put it back`,
        )
    }
    return undefined
  }
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino
}
