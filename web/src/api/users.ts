/** Accounts of this server. All throw ApiError. */
import { list, part, type Caller, type Listing, type Query } from "./caller";
import type { User } from "../lib/types";

export interface NewUser {
  readonly userId: string;
  readonly name: string;
  readonly role: string;
  readonly password: string;
}

export const currentUser = (caller: Caller): Promise<User> => caller("GET", "internal-api/v1", "/users/me");

export const listUsers = (caller: Caller, query: Query): Promise<Listing<User>> => list(caller, "users", "/users", query);

/** The root administrator is the account that was there first. */
export async function rootUserId(caller: Caller): Promise<string | undefined> {
  const query = { sortField: "registrationDate", sortOrder: "asc", maxItems: 1 };
  return (await listUsers(caller, query)).items[0]?.userId;
}

export const createUser = (caller: Caller, user: NewUser): Promise<User> => caller("POST", "api/v1", "/users", { body: user });

export const setRole = (caller: Caller, userId: string, role: string): Promise<User> =>
  caller("PUT", "api/v1", `/users/${part(userId)}/role`, { body: { role } });

export const resetPassword = (caller: Caller, userId: string, newPassword: string): Promise<void> =>
  caller("PUT", "api/v1", `/users/${part(userId)}/password`, { body: { newPassword } });

export const deleteUser = (caller: Caller, userId: string): Promise<void> => caller("DELETE", "api/v1", `/users/${part(userId)}`);
