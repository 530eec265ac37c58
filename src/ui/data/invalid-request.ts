/** A request that can't be answered as it is; the message tells the caller why. */
export class InvalidRequest extends Error {}
