/** A setting says how it reads itself from text; groups of them make a typed configuration. */
export interface Setting<T> {
  readonly description: string;
  /** Shown in help and the settings file. */
  readonly shownDefault: string;
  readonly secret: boolean;
  /** Holds a secret, or may: a value `X` may then come from a file that `X_FILE` names. */
  readonly confidential: boolean;
  /** @throws Error with what is wrong and what is allowed */
  readonly parse: (text: string) => T;
  readonly fallback: T;
}

export type SettingGroup = { readonly [name: string]: Setting<unknown> };
export type SettingsOf<G extends SettingGroup> = {
  readonly [K in keyof G]: G[K] extends Setting<infer T> ? T : never;
};

interface Options<T> {
  readonly description: string;
  readonly fallback: T;
  readonly shownDefault?: string;
}

function setting<T>(options: Options<T>, parse: (text: string) => T): Setting<T> {
  const { description, fallback } = options;
  const shownDefault = options.shownDefault ?? String(fallback ?? "");
  return { description, fallback, parse, shownDefault, secret: false, confidential: false };
}

/** Whatever reads itself from text. */
export function parsed<T>(options: Options<T> & { readonly parse: (text: string) => T }): Setting<T> {
  return setting(options, options.parse);
}

export function text<T extends string | undefined>(
  options: Options<T> & { readonly pattern?: RegExp; readonly expects?: string },
): Setting<T | string> {
  return setting<T | string>(options, (value) => {
    if (options.pattern !== undefined && !options.pattern.test(value)) {
      throw new Error(`expected ${options.expects ?? String(options.pattern)}`);
    }
    return value;
  });
}

export function secret(
  options: Options<string | undefined> & { readonly minLength?: number },
): Setting<string | undefined> {
  const read = (value: string): string => {
    if (value.length < (options.minLength ?? 1)) throw new Error(`expected at least ${options.minLength} characters`);
    return value;
  };
  return { ...setting<string | undefined>(options, read), secret: true, confidential: true };
}

export function integer(options: Options<number> & { readonly min: number; readonly max: number }): Setting<number> {
  return setting(options, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= options.min && number <= options.max)) {
      throw new Error(`expected a whole number from ${options.min} to ${options.max}`);
    }
    return number;
  });
}

/** A size in bytes: a whole number, optionally with KiB, MiB or GiB behind it. */
export function bytes(options: Options<number>): Setting<number> {
  const units: Record<string, number> = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
  return setting(options, (value) => {
    const match = /^(\d{1,12})\s*(KiB|MiB|GiB)?$/.exec(value);
    if (match === null) throw new Error("expected a size such as 1048576, 512 KiB or 50 MiB");
    return Number(match[1]) * (units[match[2] ?? ""] ?? 1);
  });
}

export function flag(options: Options<boolean>): Setting<boolean> {
  return setting(options, (value) => {
    if (value === "true" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw new Error("expected true or false");
  });
}

export function oneOf<T extends string>(values: readonly T[], options: Options<T>): Setting<T> {
  return setting(options, (value) => {
    const found = values.find((allowed) => allowed === value);
    if (found === undefined) throw new Error(`expected one of ${values.join(", ")}`);
    return found;
  });
}

/**
 * Comma-separated.
 * @param options.item whether one of them may stand there; anything may by default
 */
export function list(
  options: Options<readonly string[]> & { readonly item?: (text: string) => boolean; readonly expects?: string },
): Setting<readonly string[]> {
  return setting(options, (value) => {
    const items = value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    const bad = items.find((item) => options.item?.(item) === false);
    if (bad !== undefined) throw new Error(`${JSON.stringify(bad.slice(0, 64))}: expected ${options.expects}`);
    return items;
  });
}

/** A URL, which may carry a password. */
export function url<T extends string | undefined>(
  options: Options<T> & { readonly protocols: readonly string[] },
): Setting<T | string> {
  const read = (value: string): T | string => {
    const expected = options.protocols.map((protocol) => `${protocol}//…`).join(" or ");
    if (!URL.canParse(value) || !options.protocols.includes(new URL(value).protocol)) {
      throw new Error(`expected a URL: ${expected}`);
    }
    return value;
  };
  return { ...setting<T | string>(options, read), confidential: true };
}
