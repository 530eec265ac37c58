/** A moment for columns that would otherwise hold the time of the run. */
export const at = new Date('2026-01-02T03:04:05.006Z')

/** The values of a user that are the same in every run. */
export const user = (id: number, more = {}) => ({
  id,
  email: `u${id}@x.org`,
  createdAt: at,
  updatedAt: at,
  ...more,
})
