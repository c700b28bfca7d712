import type { RequestListener } from 'node:http'
import { HopperError } from '@hopper/contracts'
import { endWith } from './protocol-errors.ts'

/**
 * A body may come in this many pieces of any length. Beyond that, pieces must have this many bytes on average: network
 * packets have hundreds, so shorter pieces are cut by the sender on purpose.
 */
const [PIECES_MANY, PIECE_BYTES_MIN] = [1_000, 64]
const EXPLANATION = 'The body comes in too many short chunks; send longer ones.'

/**
 * Ends the connection of a body that comes in very many short chunks. Node keeps an object of some 300 bytes for each
 * piece that nobody has read yet, and each costs some microseconds, so that 5 MB of chunks of one byte would hold 300
 * MB. Counted where the parser delivers them, before anything waits for a turn, a key or a reader.
 */
export function refuseShortChunks(handle: RequestListener): RequestListener {
  return (request, response) => {
    let [pieces, bytes, isRefused] = [0, 0, false]
    const push = request.push.bind(request)
    request.push = (piece: Buffer | null) => {
      if (isRefused) return false
      if (piece !== null) {
        pieces++
        bytes += piece.length
        isRefused = pieces > PIECES_MANY && bytes < pieces * PIECE_BYTES_MIN
      }
      if (!isRefused) return push(piece)
      if (response.headersSent) request.socket.destroy()
      else endWith(request.socket, new HopperError('HOP_BODY_TOO_LARGE', EXPLANATION))
      return false
    }
    handle(request, response)
  }
}
