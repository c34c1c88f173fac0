/** Bytes of record data that an engine holds at most, over all its caches, queues and sockets. */
export const MEMORY_BUDGET_BYTES: number = 256 * 1024 * 1024;

/** Size of a slab, the unit in which record data is held: a frame larger than this gets a slab of its own. */
export const SLAB_BYTES: number = 4 * 1024 * 1024;
