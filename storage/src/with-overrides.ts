/** Overrides some members of a port. Everything else is delegated to `port`. */
export function withOverrides<T extends object>(port: T, changes: Partial<T>): T {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Object.hasOwn(changes, name) ? Reflect.get(changes, name) : Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
