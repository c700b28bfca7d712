import { statSync } from 'node:fs'

/**
 * Detects whether opened files are still at their paths. Writes to a file that was removed or replaced are lost when
 * the process ends.
 */
export class FilesInPlace {
  readonly #inodes: ReadonlyMap<string, bigint>

  /** `files` must exist */
  constructor(files: readonly string[]) {
    this.#inodes = new Map(files.map((file) => [file, inodeOf(file)!]))
  }

  /** Returns an error that names the first file that was removed or replaced. */
  moved(): Error | undefined {
    for (const [file, inode] of this.#inodes) {
      if (inodeOf(file) !== inode)
        return new Error(
          `${file} was removed or replaced while it was open: appends are refused; stop Hopper and put it back`,
        )
    }
    return undefined
  }
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino
}
