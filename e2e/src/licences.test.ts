import { resolve } from 'node:path'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly dev?: true
  readonly link?: true
}

const lock = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package-lock.json'), 'utf8')) as {
  packages: Record<string, LockedPackage>
}

/** SPDX identifiers that ask for no more than a copy of the licence. */
const permissive = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
  'Zlib',
])

/** True if one alternative of an SPDX expression without nested parentheses needs permissive licences only. */
function isPermissive(expression: string): boolean {
  return expression
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((alternative) => alternative.split(' AND ').every((licence) => permissive.has(licence)))
}

it('everything that is shipped has a permissive licence', () => {
  const shipped = Object.entries(lock.packages).filter(
    ([path, { dev, link }]) => path.includes('node_modules/') && !dev && !link,
  )
  expect(shipped.length).toBeGreaterThan(100)
  const others = shipped.filter(([, { license }]) => license === undefined || !isPermissive(license))
  expect(others.map(([path, { version, license }]) => `${path} ${version}: ${license}`)).toEqual([])
})

it.each(['AGPL-3.0', 'BUSL-1.1', 'SSPL-1.0', 'MIT AND GPL-3.0', 'SEE LICENSE IN LICENSE'])(
  'control: %s is refused',
  (licence) => {
    expect(isPermissive(licence)).toBe(false)
  },
)
