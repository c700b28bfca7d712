import type { JourneyRequest, JourneyResult, Truncatable } from '@hopper/contracts'
import type { LaneInput } from '../../funnel/scan/unit-scan.ts'
import type { Budget } from '../../scan/budget.ts'
import { JourneyGraph } from './journey-graph.ts'
import type { Way } from './journey-way.ts'
import { WayScan } from './way-scan.ts'

/** Counts the paths that units take from place to place. */
export class JourneyScan extends WayScan {
  readonly #graph = new JourneyGraph()

  constructor(request: JourneyRequest, budget?: Budget) {
    super(request, budget)
  }

  /**
   * Returns the most used nodes and links; the others are folded into `other`.
   * @throws HopperError HOP_PARAM_INVALID if no unit visited `start` or `end`
   */
  finish(): Truncatable<JourneyResult> {
    this.finishWays()
    return this.#graph.finish()
  }

  protected override way({ places, step, leaves }: Way): void {
    this.#graph.add(places, step, leaves)
  }
}

/** Runs a complete journey query in this thread. */
export function queryJourneys(
  request: JourneyRequest,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Truncatable<JourneyResult> {
  const scan = new JourneyScan(request, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
