import { BlockList } from 'node:net'

/** Records by network, `address/bits`. IPv4 networks are stored below `::/96`, as the format says. */
export type Networks = Readonly<Record<string, GeoValue>>
type GeoValue = string | number | { readonly [key: string]: GeoValue } | readonly GeoValue[]

type Node = [left: Branch, right: Branch]
type Branch = Node | { readonly data: GeoValue } | undefined

const MARKER = Buffer.from([0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com')])
const types = { map: 7, array: 11, text: 2, uint16: 5, uint32: 6, uint64: 9 } as const

/**
 * Writes a file of the MaxMind DB format, version 2.0 (https://maxmind.github.io/MaxMind-DB/), with records of 24 bits.
 */
export function geoFile(networks: Networks, databaseType = 'Test-City'): Buffer {
  const root: Node = [undefined, undefined]
  for (const [network, data] of Object.entries(networks)) insert(root, network, data)
  const nodes: Node[] = []
  const number = (node: Node): void => {
    nodes.push(node)
    for (const branch of node) if (Array.isArray(branch)) number(branch)
  }
  number(root)
  const indexes = new Map(nodes.map((node, index) => [node, index]))
  const data: Buffer[] = []
  let length = 0
  const place = (branch: Branch): number => {
    if (branch === undefined) return nodes.length
    if (Array.isArray(branch)) return indexes.get(branch)!
    const bytes = encode(branch.data)
    data.push(bytes)
    length += bytes.length
    return nodes.length + 16 + length - bytes.length
  }
  const tree = nodes.flatMap((node) => node.map((branch) => uint(place(branch), 3)))
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_767_225_600,
    database_type: databaseType,
    description: { en: 'made by a test' },
    ip_version: 6,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  })
  return Buffer.concat([...tree, Buffer.alloc(16), ...data, MARKER, metadata])
}

function insert(root: Node, network: string, data: GeoValue): void {
  const [address, length] = network.split('/') as [string, string]
  const bits = bitsOf(address)
  const depth = bits.length - (address.includes(':') ? 128 : 32) + Number(length)
  let node = root
  for (let index = 0; index < depth - 1; index++) {
    const side = bits[index]!
    const next = node[side]
    if (Array.isArray(next)) node = next
    else node = node[side] = [undefined, undefined]
  }
  node[bits[depth - 1]!] = { data }
}

/** Returns the 128 bits of an address; those of IPv4 are the last 32. */
function bitsOf(address: string): (0 | 1)[] {
  new BlockList().addAddress(address, address.includes(':') ? 'ipv6' : 'ipv4')
  const bytes = address.includes(':')
    ? groupsOf(address).flatMap((group) => [group >> 8, group & 255])
    : [...Array<number>(12).fill(0), ...address.split('.').map(Number)]
  return bytes.flatMap((byte) =>
    Array.from({ length: 8 }, (_, bit): 0 | 1 => (((byte >> (7 - bit)) & 1) === 1 ? 1 : 0)),
  )
}

function groupsOf(address: string): number[] {
  const [head = [], tail] = address.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const middle = tail === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...middle, ...(tail ?? [])].map((group) => parseInt(group, 16))
}

function encode(value: GeoValue): Buffer {
  if (typeof value === 'string')
    return Buffer.concat([control(types.text, Buffer.byteLength(value)), Buffer.from(value)])
  if (typeof value === 'number') {
    const bytes = value < 65_536 ? 2 : 4
    return Buffer.concat([control(bytes === 2 ? types.uint16 : types.uint32, bytes), uint(value, bytes)])
  }
  if (Array.isArray(value)) return Buffer.concat([control(types.array, value.length), ...value.map(encode)])
  const entries = Object.entries(value)
  return Buffer.concat([control(types.map, entries.length), ...entries.flatMap(([k, v]) => [encode(k), encode(v)])])
}

function control(type: number, size: number): Buffer {
  if (size > 28) return Buffer.concat([control(type, 29).subarray(0, type > 7 ? 2 : 1), uint(size - 29, 1)])
  return Buffer.from(type > 7 ? [size, type - 7] : [(type << 5) | size])
}

function uint(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
