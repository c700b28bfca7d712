import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import versions from './versions.json' with { type: 'json' }

it.each(['docker-compose.yml', 'docker-compose.three.yml'])('%s runs the engines that the tests run', (file) => {
  const text = readFileSync(resolve(import.meta.dirname, '../../..', file), 'utf8')
  const images = [...text.matchAll(/image: ((?:apache\/kafka|cassandra):\S+)/g)].map(([, image]) => image)
  expect(new Set(images)).toEqual(new Set([versions.kafka.image, versions.cassandra.image]))
  for (const { image, maven, version } of Object.values(versions))
    expect([image, maven].every((name) => name.endsWith(`:${version}`))).toBe(true)
})
