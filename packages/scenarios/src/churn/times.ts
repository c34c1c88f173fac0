/** What members ask for: the least that a broker allows by default. */
export const SESSION_MS = 6_000;
export const REBALANCE_MS = 8_000;
export const HEARTBEAT_MS = 500;
