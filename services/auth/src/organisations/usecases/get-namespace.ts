import { isLive } from "../model/organisation.ts";
import type { OrgUseCase } from "../use-case.ts";

export const getNamespace: OrgUseCase<"getNamespace"> = (parts) => async (request) => {
  const organisation = await parts.organisations.find(request.name);
  if (organisation !== null) return { type: "organisation", closed: !isLive(organisation) };
  const user = await parts.users.findOne({ username: request.name });
  return user === null ? {} : { type: "user", userId: user._id };
};
