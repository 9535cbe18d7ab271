const sources = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/**
 * `AbortSignal.any` that misses nothing. Node's result holds its sources weakly and looks at them only when it is asked or
 * listened to: a source that is aborted and collected before that would never have been.
 */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  const any = AbortSignal.any([...signals]);
  sources.set(any, signals);
  return any;
}
