"""/users: registered users and their roles (contract 2.1)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.paging import page_request, pagination, text_match
from meet.api.selection import user_document
from meet.api.services import services
from meet.core.edits import user_version
from meet.core.model.account import NewUser, UserFilter
from meet.http import Call, Response, json_response, versions


async def create_user(call: Call) -> Response:
    body = call.body
    new = NewUser(user_id=body["userId"], name=body["name"], role=body["role"], password=body["password"])
    user = await services(call).users.create(caller(call), new)
    location = f"{call.base_url}/api/v1/users/{user.user_id}"
    return json_response(201, user_document(user), {"Location": location})


async def get_users(call: Call) -> Response:
    params = call.params
    wanted = UserFilter(params.get("userId") or None, text_match(params, "name"), params.get("role"))
    page = await services(call).users.list(caller(call), wanted, page_request(params))
    return json_response(200, {"users": [user_document(user) for user in page.items], "pagination": pagination(page)})


async def bulk_delete_users(call: Call) -> Response:
    result = await services(call).users.delete_many(caller(call), call.params["userIds"])
    failed = [{"userId": item.user_id, "error": item.error} for item in result.failed]
    message = f"{len(failed)} user(s) could not be deleted" if failed else "All users deleted successfully"
    body = {"message": message, "deleted": list(result.deleted), "failed": failed}
    return json_response(400 if failed else 200, body)


async def get_user(call: Call) -> Response:
    user = await services(call).users.get(caller(call), call.params["userId"])
    response = json_response(200, user_document(user))
    response.version = user_version(user)
    return response


async def delete_user(call: Call) -> Response:
    user_id = call.params["userId"]
    await services(call).users.delete(caller(call), user_id)
    return json_response(200, {"message": f"User '{user_id}' deleted successfully"})


async def reset_user_password(call: Call) -> Response:
    user_id = call.params["userId"]
    await services(call).users.reset_password(caller(call), user_id, call.body["newPassword"])
    message = f"Password for user '{user_id}' has been reset successfully. User must change password on next login."
    return json_response(200, {"message": message})


async def update_user_role(call: Call) -> Response:
    wanted = versions(call.params.get("If-Match"))
    user = await services(call).users.change_role(
        caller(call), call.params["userId"], call.body["role"], versions=wanted
    )
    return json_response(200, user_document(user))
