/**
 * Methods of a class of kafkajs that a file of this folder replaces, as they were when it was written. Each such file
 * exports them as `patched`. A test fails when another version is installed or a method has changed: read what has
 * changed, decide whether the patch is still needed and right, then update it.
 */
export interface PatchedMethods {
  /** version of kafkajs for which the patch was written */
  readonly version: string
  /** module whose export is the class */
  readonly module: string
  /** SHA-256 of the source of each method */
  readonly methods: Readonly<Record<string, string>>
}
