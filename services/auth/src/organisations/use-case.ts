import type { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import type { Handler } from "@registry/kit";
import type { Parts } from "../parts.ts";

type Methods = (typeof OrganisationServiceDefinition)["methods"];
/** A use case of organisations: given its parts, it handles the RPC of its name. */
export type OrgUseCase<M extends keyof Methods> = (parts: Parts) => Handler<Methods[M]>;
