/** A port of which some calls are others: everything else goes to `port`. */
export function withOverrides<T extends object>(port: T, changes: Partial<T>): T {
  return new Proxy(port, {
    get: (of, name) => {
      const value: unknown = Object.hasOwn(changes, name) ? Reflect.get(changes, name) : Reflect.get(of, name)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
}
