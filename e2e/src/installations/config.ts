/** The environment that a started installation inherits; read only here. */
export const environment: Readonly<Record<string, string | undefined>> = process.env
