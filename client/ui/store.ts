// The smallest observable value: pages keep their state in stores, components read them with useStore.

import { useEffect, useState } from 'preact/hooks';

/** A value that tells its observers when it is replaced. */
export class Store<Value> {
  #value: Value;
  readonly #observers = new Set<(value: Value) => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get value(): Value {
    return this.#value;
  }

  set(value: Value): void {
    if (!Object.is(value, this.#value)) {
      this.#value = value;
      this.#observers.forEach((observer) => observer(value));
    }
  }

  /** Replaces some fields of an object value. */
  patch(fields: Partial<Value>): void {
    this.set({ ...this.#value, ...fields });
  }

  /** Returns the function that ends the subscription. */
  subscribe(observer: (value: Value) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }
}

/** The store's value, drawn again on each change. */
export function useStore<Value>(store: Store<Value>): Value {
  const [, redraw] = useState(0);
  useEffect(() => store.subscribe(() => redraw((count) => count + 1)), [store]);
  return store.value;
}
