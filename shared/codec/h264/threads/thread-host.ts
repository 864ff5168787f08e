// The role by which a room lends threads to the codec: shared/ starts none itself. The server implements it with worker_threads
// (server/platform/node-thread-host.ts), a page with module workers. Messages carry a shared WebAssembly.Memory and plain numbers;
// while work is under way threads meet in that memory (row-progress.ts).
//
// Each codec has its thread's program in shared/ (a ThreadMain); each room has an entry file per codec that listens to messages and
// passes them on. A host belongs to one entry, so that a viewer's page never loads the encoder. Starting is not instant, and in a page
// it needs the starter's event loop: codecs never wait for a thread that has not reported, they do its share themselves.

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

/** What a codec's thread runs for each message that it gets; `post` answers the starter. */
export type ThreadMain = (message: unknown, post: (message: unknown) => void) => void;

export interface ThreadHost {
  /** Threads that can run at the same time, the caller's own included; at least 1. */
  readonly parallelism: number;
  /** Starts the host's codec thread. Throws when the host cannot. */
  start(listener: ThreadListener): HostThread;
}
