/** One of the apps that receive the traffic of the fault tests. */
export interface FaultApp {
  readonly id: string
  readonly write: string
  readonly read: string
}

export const timezone = 'Asia/Kathmandu'

/** One app whose results must be exact, and one for the control, in the same tables. */
export const apps = { tested: faultApp('tested'), control: faultApp('control') } as const

function faultApp(id: string): FaultApp {
  return { id, write: `hw_${id}_0123456789abcdef`, read: `hr_${id}_0123456789abcdef` }
}

export const provision = {
  organizations: [
    {
      id: 'o',
      name: 'O',
      apps: Object.values(apps).map(({ id, write, read }) => ({
        id,
        name: id,
        timezone,
        write_key: write,
        read_key: read,
      })),
    },
  ],
}
