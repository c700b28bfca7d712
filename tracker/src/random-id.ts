/** 128 random bits. crypto.randomUUID does not exist on plain http; this does. */
export const randomId = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')
