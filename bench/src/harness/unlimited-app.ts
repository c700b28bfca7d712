/** Id and keys of an app whose one write key may send as fast as the machine takes it. */
export const unlimitedApp = {
  id: 'bench',
  write: 'hw_bench_0123456789abcdef',
  read: 'hr_bench_0123456789abcdef',
} as const

/** Options of an installation that has this app only. */
export const unlimitedInstallation = {
  provision: {
    organizations: [
      {
        id: 'o',
        name: 'O',
        apps: [
          {
            id: unlimitedApp.id,
            name: 'Bench',
            timezone: 'UTC',
            write_key: unlimitedApp.write,
            read_key: unlimitedApp.read,
          },
        ],
      },
    ],
  },
  env: {
    HOPPER_LOG_LEVEL: 'error',
    HOPPER_DEMO: 'false',
    HOPPER_EVENT_RATE: '10000000',
    HOPPER_BYTE_RATE: '10000000000',
  },
}
