import { type Format, isPluginName, isRegistryError } from "@registry/domain";
import { isMap, isScalar, parseDocument } from "yaml";
import { carriedVersion } from "./formats/carried.ts";
import { checkYamlTokens } from "./text/yaml.ts";

const LONGEST = 64 * 1024;

export interface ManifestPart {
  readonly name?: string;
  readonly version?: string;
}

/**
 * Reads name and version out of the manifest that comes beside a package, to compare them with the package's own.
 * It may be JSON, YAML or YAML with Python tags (`!!python/object:…`), which are never resolved. What cannot be read
 * is undefined; it never throws.
 * @param format of the package: names and versions are understood as in its own manifest
 */
export function checkManifestPart(text: string, format: Format = "agenticraft"): ManifestPart {
  if (text.length > LONGEST) return {};
  try {
    return asPublished(fromJson(text) ?? fromYaml(text), format);
  } catch (error) {
    if (isRegistryError(error)) return {};
    throw error;
  }
}

function asPublished({ name, version }: ManifestPart, format: Format): ManifestPart {
  const published = format === "mcp-server" && name !== undefined ? `@${name}`.toLowerCase() : name;
  const free = format === "skill" || format === "mcp-server" || format === "agent-plugin";
  // A title may stand there, or the name that is not the one under which clients install it.
  const isTitle = format === "agentos" || (free && published !== undefined && !isPluginName(published));
  const carried = free ? carriedVersion(version, "", "").version : version;
  return {
    ...(published === undefined || isTitle ? {} : { name: published }),
    ...(carried === undefined ? {} : { version: carried }),
  };
}

function fromJson(text: string): ManifestPart | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return {};
    return part((key) => (Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function fromYaml(text: string): ManifestPart {
  checkYamlTokens(text, "manifest", "passed over");
  const options = {
    schema: "failsafe",
    uniqueKeys: false,
    logLevel: "silent",
    prettyErrors: false,
    merge: false,
  } as const;
  const { contents } = parseDocument(text, options);
  if (!isMap(contents)) return {};
  return part((key) => {
    const found = contents.items.find((item) => isScalar(item.key) && item.key.value === key)?.value;
    return isScalar(found) ? found.value : undefined;
  });
}

function part(get: (key: string) => unknown): ManifestPart {
  const text = (key: string): { [field: string]: string } => {
    const value = get(key);
    return typeof value === "string" && value !== "" ? { [key]: value } : {};
  };
  return { ...text("name"), ...text("version") };
}
