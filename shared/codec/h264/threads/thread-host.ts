// The role by which a room lends threads to the codec: shared/ starts none itself. The server implements it with worker_threads
// (server/platform/node-thread-host.ts), a page with module workers. Messages carry a shared WebAssembly.Memory and plain numbers;
// while work is under way threads meet in that memory (row-progress.ts).

/** One started thread. */
export interface HostThread {
  /** Sends a message to the thread; what it holds is copied, shared memory is shared. */
  post(message: unknown): void;
  /** Ends the thread at once. Resolves when it is gone. */
  terminate(): Promise<void>;
}

/** What the starter of a thread listens to. */
export type ThreadListener = {
  readonly onMessage: (message: unknown) => void;
  /** The thread died by itself; it is not restarted. */
  readonly onFailure: (reason: string) => void;
};

export interface ThreadHost {
  /** Threads that can run at the same time, the caller's own included; at least 1. */
  readonly parallelism: number;
  /** Starts the host's codec thread. Throws when the host cannot. */
  start(listener: ThreadListener): HostThread;
}
