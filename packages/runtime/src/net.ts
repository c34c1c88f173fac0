/** Stream sockets that we accept. One owner per connection; handlers are called one at a time. */
export interface Net {
  /**
   * Listens until closed. `port` 0 takes a free one.
   *
   * @throws KarstError `ADDRESS_IN_USE` (`unavailable`) naming host and port.
   */
  listen(
    options: { readonly host: string; readonly port: number },
    onConnection: (connection: Connection) => void,
  ): Promise<Listener>;
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; open connections stay. */
  close(): Promise<void>;
}

export interface ConnectionHandlers {
  /** `chunk` is borrowed for the length of the call. */
  data(chunk: Uint8Array): void;
  /** What was queued has left; called after a `write` that returned false. */
  drain(): void;
  /** The peer will send no more. */
  end(): void;
  /** Nothing more will be called. Every `written` callback has been called before. */
  closed(error?: Error): void;
}

export interface Connection {
  /** Peer address, `host:port`, for logs. */
  readonly peer: string;
  /** Bytes queued and not yet handed to the kernel. */
  readonly queuedBytes: number;
  /** Starts delivery. Called once, synchronously inside `onConnection`. */
  start(handlers: ConnectionHandlers): void;
  /**
   * Queues the parts, in order, as one write. They are borrowed until `written` is called, which happens exactly once, also when
   * the connection dies first.
   *
   * @returns false when the queue is above the socket's high-water mark: wait for `drain`.
   */
  write(parts: readonly Uint8Array[], written?: () => void): boolean;
  /** Stops and continues delivery of `data`. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes now. */
  destroy(): void;
}
