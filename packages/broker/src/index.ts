export { type Broker, type BrokerOptions, startBroker } from "./broker.ts";
export { type BrokerLimits, DEFAULT_BROKER_LIMITS } from "./limits.ts";
