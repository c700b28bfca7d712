const script = document.currentScript as HTMLScriptElement

/** The app's write key; it also separates the storage of two apps on one origin. */
export const key = script.dataset['key']!

/** Returns the URL of an endpoint, on the host that served this script. */
export const endpoint = (name: string): URL => new URL(`/v1/${name}?key=${key}`, script.src)
