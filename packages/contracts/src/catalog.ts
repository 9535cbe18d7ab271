export * from "./gen/registry/catalog/v1/catalog_service.ts";
export {
  Dependent,
  DependentsServiceDefinition,
  ListDependentsRequest,
  ListDependentsResponse,
} from "./gen/registry/catalog/v1/dependents_service.ts";
export {
  Author,
  Check,
  CheckResult,
  Deprecation,
  Finding,
  PackageFile,
  Plugin,
  PluginDetails,
  PluginOwner,
  Release,
  ReleaseState,
  ReleaseView,
  Review,
  ReviewState,
  Visibility,
} from "./gen/registry/catalog/v1/plugin.ts";
