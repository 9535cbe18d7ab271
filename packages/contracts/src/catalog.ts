export * from "./gen/registry/catalog/v1/catalog_service.ts";
export {
  Author,
  Deprecation,
  Finding,
  PackageFile,
  Plugin,
  PluginDetails,
  Release,
  ReleaseState,
  ReleaseView,
  Visibility,
} from "./gen/registry/catalog/v1/plugin.ts";
