import { issuer, label, secretFile, secureOrigins, visibleText } from './setting-values.ts'

/** Settings of the OpenID provider by which members may log in. */
export const oidcSettings = {
  oidcIssuer: {
    flag: '--oidc-issuer',
    variable: 'HOPPER_OIDC_ISSUER',
    help: 'the issuer of an OpenID provider by which members may log in; https, or http on this machine',
    read: issuer,
  },
  oidcClientId: {
    flag: '--oidc-client-id',
    variable: 'HOPPER_OIDC_CLIENT_ID',
    help: 'the client id of Hopper at the OpenID provider',
    read: visibleText,
  },
  oidcClientSecret: {
    flag: '--oidc-client-secret',
    variable: 'HOPPER_OIDC_CLIENT_SECRET',
    help:
      'the client secret at the OpenID provider; better as a variable or in a file, since every user of the machine ' +
      'can see flags',
    read: visibleText,
  },
  oidcClientSecretFile: {
    flag: '--oidc-client-secret-file',
    variable: 'HOPPER_OIDC_CLIENT_SECRET_FILE',
    help: 'a file with the client secret instead, read at the start',
    read: secretFile,
  },
  oidcName: {
    flag: '--oidc-name',
    variable: 'HOPPER_OIDC_NAME',
    default: 'OpenID Connect',
    help: 'the name of the OpenID provider on the button of the login page',
    read: label,
  },
  oidcOrigins: {
    flag: '--oidc-origins',
    variable: 'HOPPER_OIDC_ORIGINS',
    help: 'origins that the OpenID provider may name for its addresses besides that of the issuer, separated by commas',
    read: secureOrigins,
  },
} as const
