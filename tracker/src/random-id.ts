/** Returns 128 random bits. Unlike crypto.randomUUID, getRandomValues also exists on plain http. */
export const randomId = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')
