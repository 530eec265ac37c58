const knownVerbs = [
  'create',
  'update',
  'delete',
  'connect',
  'disconnect',
  'read',
  'login',
  'logout',
  'export',
]

/** The verb of `country.update`, and the class of its colour. */
export function verbOf(action: string): { verb: string; kind: string } {
  const verb = action.slice(action.lastIndexOf('.') + 1)
  return { verb, kind: knownVerbs.includes(verb) ? verb : 'other' }
}
