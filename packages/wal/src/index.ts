export { WAL_ERRORS, walError } from "./errors.ts";
export {
  type AppendedFrame,
  type Frame,
  type RecoveredFrame,
  type Wal,
  WAL_START,
  type WalClaim,
  type WalFactory,
  type WalKind,
  type WalListener,
  type WalPosition,
} from "./wal.ts";
