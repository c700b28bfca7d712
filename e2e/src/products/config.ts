/** The environment that a started product inherits; read here and nowhere else. */
export const environment: Readonly<Record<string, string | undefined>> = process.env
