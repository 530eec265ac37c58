/** What an erased value reads. */
export const erasedValue = '[erased]'
