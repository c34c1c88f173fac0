/**
 * The notation of the message schemas: plain data, one field after the other in wire order.
 *
 * `versions` are message versions, both ends included; a field without it is in every version of its parent.
 */
export type Versions = `${number}+` | `${number}-${number}`;

/** What a primitive decodes to. */
export interface Primitives {
  readonly bool: boolean;
  readonly int8: number;
  readonly int16: number;
  readonly uint16: number;
  readonly int32: number;
  readonly uint32: number;
  /** Outside the safe integers: malformed. */
  readonly int64: number;
  /**
   * For values that clients choose freely (offsets to seek to, timestamps). Beyond the safe integers it reads as the nearest of
   * them, and that one is written as the end of the int64 range.
   */
  readonly int64Clamped: number;
  readonly float64: number;
  /** 32 lower-case hexadecimal digits. */
  readonly uuid: string;
  readonly string: string;
  /** Borrowed from the message. */
  readonly bytes: Uint8Array;
  /** Record batches back to back, borrowed from the message. Written from one array or several, without a copy when large. */
  readonly records: Uint8Array;
}

export type PrimitiveName = keyof Primitives;

interface FieldBase {
  readonly name: string;
  readonly versions?: Versions;
  /** Versions in which null is legal; `true`: all of the field's. */
  readonly nullable?: true | Versions;
  /** Tagged in all its versions, which are flexible: not on the wire when equal to its default. */
  readonly tag?: number;
  /**
   * What an absent field has: absent from the version on decoding, left out by the caller on encoding. Without one: zero, false, "",
   * the zero uuid, no bytes, no elements, or a struct of defaults; and callers must give a field that is in every version.
   */
  readonly default?: number | boolean | string | null;
  /** May have a value in versions without the field, where it is not sent; other fields are refused there. */
  readonly ignorable?: true;
}

export interface PrimitiveField extends FieldBase {
  readonly type: PrimitiveName;
}

export interface ArrayField extends FieldBase {
  readonly array: PrimitiveName | Fields;
}

export interface StructField extends FieldBase {
  readonly struct: Fields;
}

export type Field = PrimitiveField | ArrayField | StructField;

export type Fields = readonly Field[];
