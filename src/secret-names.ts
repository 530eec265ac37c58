/** Exact names, case and underscores ignored: a field named `tokenCount` or `passwordPolicy` is not a secret. */
export const secretNames = new Set([
  ...[
    'password',
    'passwd',
    'passwordhash',
    'hashedpassword',
    'passwordsalt',
    'passwordresettoken',
    'passphrase',
  ],
  ...[
    'secret',
    'secretkey',
    'clientsecret',
    'appsecret',
    'sharedsecret',
    'totpsecret',
    'mfasecret',
    'twofactorsecret',
  ],
  ...[
    'webhooksecret',
    'signingsecret',
    'signingkey',
    'encryptionkey',
    'privatekey',
    'apikey',
    'apisecret',
    'apitoken',
  ],
  ...[
    'token',
    'accesstoken',
    'refreshtoken',
    'idtoken',
    'sessiontoken',
    'resettoken',
    'verificationtoken',
    'authtoken',
  ],
  ...[
    'bearertoken',
    'csrftoken',
    'otp',
    'pin',
    'cvv',
    'cvc',
    'recoverycode',
    'recoverycodes',
    'backupcodes',
    'salt',
  ],
])

/** Whether a field's name suggests a secret. */
export function isSecret(field: string): boolean {
  return secretNames.has(field.replaceAll('_', '').toLowerCase())
}
