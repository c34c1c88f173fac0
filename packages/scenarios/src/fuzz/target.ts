/** A decoder, and what it must make of any bytes: a value, or one of its documented errors. */
export interface Target {
  readonly name: string;
  /** Bytes that it accepts, from which others are made. */
  readonly samples: readonly Uint8Array[];
  /** Puts right the checksums that changed bytes break, in place: else nothing behind them is ever reached. */
  readonly reseal?: (bytes: Uint8Array) => void;
  /** Nothing is refused: whatever it is, it is something. */
  readonly total?: true;
  /** Decodes everything there is. @throws KarstError `corrupt` or `invalid`; anything else is a defect. */
  readonly decode: (bytes: Uint8Array) => void;
}
