import { HopperError } from '@hopper/contracts'
import { GeoDatabase } from '@hopper/ingest'
import type { Logger } from 'pino'

/**
 * Opens the database of the setting `--geo`, if there is one.
 * @throws HopperError HOP_CONFIG when the file cannot be used
 */
export async function openGeo(file: string | undefined, logger: Logger): Promise<GeoDatabase | undefined> {
  if (file === undefined) return undefined
  try {
    return await GeoDatabase.open(file, logger)
  } catch (cause) {
    throw new HopperError('HOP_CONFIG', `The file ${file} of --geo cannot be used: ${(cause as Error).message}.`, {
      cause,
    })
  }
}
