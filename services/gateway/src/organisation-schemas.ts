import { orgRoles } from "@registry/domain";
import { z } from "zod";

export const organisationSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    created_at: z.string().meta({ format: "date-time" }).nullable(),
    own_role: z.enum(orgRoles).nullable().describe("Null for administrators who are no members"),
  })
  .meta({ id: "Organisation" });

export const memberSchema = z
  .object({
    username: z.string(),
    user_id: z.int(),
    role: z.enum(orgRoles),
    since: z.string().meta({ format: "date-time" }).nullable(),
    service_account: z.boolean(),
    teams: z.array(z.string()),
  })
  .meta({ id: "Member" });

export const teamSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    role: z.enum(orgRoles).exclude(["owner"]),
    members: z.array(z.string()),
    groups: z.array(z.string()),
    created_at: z.string().meta({ format: "date-time" }).nullable(),
  })
  .meta({ id: "Team" });
