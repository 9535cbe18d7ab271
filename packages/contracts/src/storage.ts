export * from "./gen/registry/storage/v1/storage_service.ts";
export { Upload, UploadFile, UploadFinding } from "./gen/registry/storage/v1/upload.ts";
