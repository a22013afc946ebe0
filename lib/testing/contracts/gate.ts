export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

/** A promise, and the call that resolves it. */
export function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
