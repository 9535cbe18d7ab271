import { wrongPageToken } from "@registry/domain";

/** Where a listing by time goes on: at a moment, of which some were shown already. */
export interface Position {
  /** Undefined at the beginning. */
  readonly at: Date | undefined;
  readonly skip: number;
}

/** @throws `invalid_argument`, reason `INVALID_PAGE_TOKEN` */
export function readPosition(token: string): Position {
  if (token === "") return { at: undefined, skip: 0 };
  const [, time, skip] = /^(\d{1,15})-(\d{1,6})$/.exec(token) ?? [];
  if (time === undefined) throw wrongPageToken();
  return { at: new Date(Number(time)), skip: Number(skip) };
}

/** @param shown times of what was shown from `position` on, of which there is at least one */
export function positionAfter(shown: readonly Date[], { at, skip }: Position): Position {
  const last = shown.at(-1) ?? new Date(0);
  const same = shown.filter((time) => time.getTime() === last.getTime()).length;
  return { at: last, skip: same + (at?.getTime() === last.getTime() ? skip : 0) };
}

export function tokenOf({ at, skip }: Position): string {
  return `${at?.getTime() ?? 0}-${skip}`;
}
