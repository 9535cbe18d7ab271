import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

export interface Schema {
  readonly [keyword: string]: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly schema: Schema;
}

export interface ResponseDoc {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

export interface Operation {
  /** `GET /health`. */
  readonly label: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly required: boolean; readonly type: string; readonly schema: Schema } | undefined;
  readonly responses: Readonly<Record<string, ResponseDoc>>;
  /** Whether nobody gets anything here without a credential. */
  readonly secured: boolean;
}

interface RawOperation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, { schema: Schema }> };
  readonly responses: Readonly<Record<string, ResponseDoc & { readonly $ref?: string }>>;
  readonly security?: readonly object[];
}

interface RawDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, ResponseDoc>> };
}

const isRfc3339 = (text: string): boolean => !Number.isNaN(Date.parse(text)) && /^\d{4}-\d\d-\d\dT/.test(text);

/** The OpenAPI document of a running registry. */
export class ApiDocument {
  readonly operations: readonly Operation[];
  readonly #components: RawDocument["components"];
  readonly #ajv = new Ajv2020({ strict: false, formats: { "date-time": isRfc3339, binary: true } });
  readonly #compiled = new Map<Schema, ValidateFunction>();

  constructor(document: unknown) {
    const { paths, components } = document as RawDocument;
    this.#components = components;
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => this.#read(method.toUpperCase(), path, operation)),
    );
  }

  #read(method: string, path: string, raw: RawOperation): Operation {
    const { parameters = [], requestBody, security } = raw;
    const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
    const responses = Object.entries(raw.responses).map(([status, response]) => {
      const name = response.$ref?.split("/").at(-1);
      return [status, name === undefined ? response : (this.#components.responses[name] ?? {})] as const;
    });
    return {
      label: `${method} ${path}`,
      ...{ method, path, parameters },
      body:
        type === undefined || media === undefined
          ? undefined
          : { required: requestBody?.required === true, type, schema: media.schema },
      responses: Object.fromEntries(responses),
      secured: security === undefined,
    };
  }

  /** What is wrong with a value; undefined where nothing is. */
  complaint(schema: Schema, value: unknown): string | undefined {
    let validate = this.#compiled.get(schema);
    if (validate === undefined) {
      validate = this.#ajv.compile({ ...schema, components: this.#components });
      this.#compiled.set(schema, validate);
    }
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }
}
