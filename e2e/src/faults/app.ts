/** The app that the traffic of the fault tests belongs to. */
export const app = 'faults'
export const timezone = 'Asia/Kathmandu'
export const keys = { write: 'hw_faults_0123456789abcdef', read: 'hr_faults_0123456789abcdef' }
export const provision = {
  organizations: [{ id: 'o', name: 'O', apps: [{ id: app, name: 'Faults', timezone, write_key: keys.write, read_key: keys.read }] }],
}
