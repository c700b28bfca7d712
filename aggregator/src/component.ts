/** Whether a part of a process does its work, and what an operator should know of it. */
export interface Component {
  readonly name: string
  readonly healthy: boolean
  readonly detail?: string
}
