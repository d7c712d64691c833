"""Users: contract 2.1."""

from __future__ import annotations

from .people import fresh, person
from .table import MALFORMED, TOO_LARGE, Operation, Situation, Stage, outdated
from .table_rooms import failing

USERS = "/api/v1/users"
PERSON = f"{USERS}/{{person}}"
NEW = {"userId": "{fresh}", "name": "Somebody", "role": "room_member", "password": "correct horse"}


def root(message: str, path: str) -> Situation:
    return Situation("the root administrator", Stage.STATE, 403, path=f"{USERS}/admin{path}", error=message)


def missing(path: str = "") -> Situation:
    return Situation("no such user", Stage.STATE, 404, path=f"{USERS}/ghost{path}", error="User 'ghost' not found")


NO_IDS = Situation("no ids", Stage.VALIDATION, 422, query={"userIds": " , "}, error="At least one userId is required")

OPERATIONS = [
    Operation(
        "createUser",
        "POST",
        USERS,
        "KA",
        201,
        body=NEW,
        prepare=fresh,
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("nothing", Stage.VALIDATION, 422, body={}, error="Required"),
            Situation(
                "a short id",
                Stage.VALIDATION,
                422,
                body={**NEW, "userId": "ann"},
                error="userId must be at least 5 characters long",
            ),
            Situation(
                "an id with capitals",
                Stage.VALIDATION,
                422,
                body={**NEW, "userId": "Alice_1"},
                error="userId must contain only lowercase letters, numbers, and underscores",
            ),
            Situation(
                "an empty name",
                Stage.VALIDATION,
                422,
                body={**NEW, "name": ""},
                error="name is required and cannot be empty",
            ),
            Situation(
                "an unknown role",
                Stage.VALIDATION,
                422,
                body={**NEW, "role": "king"},
                error="Invalid enum value. Expected 'admin' | 'room_manager' | 'room_member', received 'king'",
            ),
            Situation(
                "an id that is taken",
                Stage.STATE,
                409,
                person,
                body={**NEW, "userId": "{person}"},
                error="User '{person}' already exists",
            ),
            failing("creating user"),
        ),
    ),
    Operation(
        "getUsers",
        "GET",
        USERS,
        "KAM",
        200,
        query={"maxItems": "2", "name": "P", "nameMatchMode": "prefix"},
        prepare=person,
        situations=(
            Situation("an unknown role", Stage.VALIDATION, 422, query={"role": "king"}),
            Situation(
                "a pattern that is none",
                Stage.STATE,
                422,
                query={"name": "(", "nameMatchMode": "regex"},
                error="Invalid regular expression pattern",
            ),
            failing("getting users"),
        ),
    ),
    Operation(
        "bulkDeleteUsers",
        "DELETE",
        USERS,
        "KA",
        200,
        query={"userIds": "{person}"},
        prepare=person,
        situations=(
            NO_IDS,
            Situation("one that does not exist", Stage.STATE, 400, query={"userIds": "{person},ghost"}),
            failing("deleting users"),
        ),
    ),
    Operation("getUser", "GET", PERSON, "KAM", 200, prepare=person, situations=(missing(), failing("getting user"))),
    Operation(
        "deleteUser",
        "DELETE",
        PERSON,
        "KA",
        200,
        prepare=person,
        situations=(
            root("Cannot delete the root admin user. This account is required for system administration.", ""),
            missing(),
            failing("deleting user"),
        ),
    ),
    Operation(
        "resetUserPassword",
        "PUT",
        f"{PERSON}/password",
        "KA",
        200,
        body={"newPassword": "a new one"},
        prepare=person,
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation(
                "a short password",
                Stage.VALIDATION,
                422,
                body={"newPassword": "1234"},
                error="New password must be at least 5 characters long",
            ),
            root(
                "Cannot reset your own password. Please use the change-password endpoint to change your password.",
                "/password",
            ),
            missing("/password"),
            failing("resetting user password"),
        ),
    ),
    Operation(
        "updateUserRole",
        "PUT",
        f"{PERSON}/role",
        "KA",
        200,
        body={"role": "room_manager"},
        prepare=person,
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("no role", Stage.VALIDATION, 422, body={}, error="Required"),
            root(
                "Cannot change the role of the root admin user. This account must retain administrative privileges.",
                "/role",
            ),
            missing("/role"),
            outdated("User '{person}' has been changed"),
            failing("updating user role"),
        ),
    ),
]
