/** The moment so many months ago, as PostgreSQL counts them: a month before 31 March is the last day of February. */
export function monthsAgo(count: number): Date {
  const moment = new Date()
  const day = moment.getUTCDate()
  moment.setUTCMonth(moment.getUTCMonth() - count)
  if (moment.getUTCDate() !== day) moment.setUTCDate(0)
  return moment
}

/** A day in the middle of the month so many before this one, in ISO 8601. */
export function dayOfMonthAgo(count: number): string {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - count, 10)).toISOString()
}
