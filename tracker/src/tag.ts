const script = document.currentScript as HTMLScriptElement

/** The app's write key; it also keeps the storage of two apps on one origin apart. */
export const key = script.dataset['key']!

/** Where an endpoint is: on the host that served this script. */
export const endpoint = (name: string): URL => new URL(`/v1/${name}?key=${key}`, script.src)
