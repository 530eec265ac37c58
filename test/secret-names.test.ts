import { describe, expect, it } from 'vitest'
import { isSecret, secretNames } from '../src/secret-names.ts'

describe('the name of a secret', () => {
  it.each(['password', 'passwordHash', 'PASSWORD_HASH', 'api_key', 'apiKey', 'A_P_I_K_E_Y', 'otp'])(
    'may be %s: case and underscores do not matter',
    (name) => {
      expect(isSecret(name)).toBe(true)
    },
  )

  it.each(['tokenCount', 'passwordPolicy', 'secretary', 'pinned', 'apiKeyId', 'passwords', ''])(
    'is the whole name: %s is none',
    (name) => {
      expect(isSecret(name)).toBe(false)
    },
  )

  it('is listed as it is compared, in lower case without underscores', () => {
    expect([...secretNames].filter((name) => !/^[a-z]+$/.test(name))).toEqual([])
  })
})
