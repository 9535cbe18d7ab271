/** One file to be written into a packing. */
export interface SourceFile {
  /** Relative, `/` between its parts. */
  readonly path: string;
  /** Bytes that `read` yields. */
  readonly size: number;
  /** Written as mode 0755 instead of 0644. */
  readonly executable: boolean;
  readonly read: () => AsyncIterable<Buffer>;
}

export const modeOf = (file: SourceFile): number => (file.executable ? 0o755 : 0o644);
