import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { anyOf, defineService, type ServiceTable, services, unscoped, users } from "@registry/kit";
import type { Parts } from "../parts.ts";
import { addTeamMember } from "./usecases/add-team-member.ts";
import { createOrganisation } from "./usecases/create-organisation.ts";
import { createServiceAccount } from "./usecases/create-service-account.ts";
import { createTeam } from "./usecases/create-team.ts";
import { deleteOrganisation } from "./usecases/delete-organisation.ts";
import { deleteServiceAccount } from "./usecases/delete-service-account.ts";
import { deleteTeam } from "./usecases/delete-team.ts";
import { getNamespace } from "./usecases/get-namespace.ts";
import { getOrganisation } from "./usecases/get-organisation.ts";
import { getTeam } from "./usecases/get-team.ts";
import { listMembers } from "./usecases/list-members.ts";
import { listOrganisations } from "./usecases/list-organisations.ts";
import { listTeams } from "./usecases/list-teams.ts";
import { removeMember } from "./usecases/remove-member.ts";
import { removeTeamMember } from "./usecases/remove-team-member.ts";
import { setMember } from "./usecases/set-member.ts";
import { updateOrganisation } from "./usecases/update-organisation.ts";
import { updateTeam } from "./usecases/update-team.ts";

const inner = services("catalog", "storage", "analytics", "gateway");

/** What the audit log says: what was done to whom, where the owners of which organisation read it. */
const onOrganisation =
  (action: string) =>
  ({ name }: { readonly name: string }) => ({ action, target: name, organisation: name });
const onMember =
  (action: string) =>
  ({ organisation, username }: { readonly organisation: string; readonly username: string }) => ({
    action,
    target: username,
    organisation,
  });
const onTeam =
  (action: string) =>
  ({ organisation, name }: { readonly organisation: string; readonly name: string }) => ({
    action,
    target: name,
    organisation,
  });
const onTeamMember =
  (action: string) =>
  (request: { readonly organisation: string; readonly team: string; readonly username: string }) => ({
    action,
    target: `${request.team}/${request.username}`,
    organisation: request.organisation,
  });

export function organisationTable(parts: Parts): ServiceTable {
  return defineService(OrganisationServiceDefinition, {
    createOrganisation: {
      allow: unscoped,
      handle: createOrganisation(parts),
      audit: onOrganisation("organisation.create"),
    },
    getOrganisation: { allow: users, handle: getOrganisation(parts) },
    listOrganisations: { allow: users, handle: listOrganisations(parts) },
    updateOrganisation: {
      allow: unscoped,
      handle: updateOrganisation(parts),
      audit: onOrganisation("organisation.update"),
    },
    deleteOrganisation: {
      allow: unscoped,
      handle: deleteOrganisation(parts),
      audit: onOrganisation("organisation.delete"),
    },
    listMembers: { allow: users, handle: listMembers(parts) },
    setMember: { allow: unscoped, handle: setMember(parts), audit: onMember("member.set") },
    removeMember: { allow: unscoped, handle: removeMember(parts), audit: onMember("member.remove") },
    createTeam: { allow: unscoped, handle: createTeam(parts), audit: onTeam("team.create") },
    getTeam: { allow: anyOf(users, inner), handle: getTeam(parts) },
    listTeams: { allow: users, handle: listTeams(parts) },
    updateTeam: { allow: unscoped, handle: updateTeam(parts), audit: onTeam("team.update") },
    deleteTeam: { allow: unscoped, handle: deleteTeam(parts), audit: onTeam("team.delete") },
    addTeamMember: { allow: unscoped, handle: addTeamMember(parts), audit: onTeamMember("team.member.add") },
    removeTeamMember: { allow: unscoped, handle: removeTeamMember(parts), audit: onTeamMember("team.member.remove") },
    createServiceAccount: {
      allow: unscoped,
      handle: createServiceAccount(parts),
      audit: onMember("service_account.create"),
    },
    deleteServiceAccount: {
      allow: unscoped,
      handle: deleteServiceAccount(parts),
      audit: onMember("service_account.delete"),
    },
    getNamespace: { allow: inner, handle: getNamespace(parts) },
  });
}
