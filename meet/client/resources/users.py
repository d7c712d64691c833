"""`client.users`: accounts of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from meet.client.flow import Flow
from meet.client.inputs import MatchMode, SortOrder
from meet.client.models.base import Message, Page
from meet.client.models.users import User, UserBulkDeletion, UserRole
from meet.client.operation import Iteration, operation
from meet.client.resource import PUBLIC, AsyncResource, PageReader, Resource, SyncResource, given, params, path

_page = PageReader(User, "users")


class UserOperations(Resource):
    """Create, find, change and delete users."""

    @operation("createUser")
    def create(self, user_id: str, *, name: str, role: UserRole, password: str) -> Flow[User]:
        """A new user, who has to choose another password at the first login."""
        body = given(user_id=user_id, name=name, role=role, password=password)
        return self._request("POST", f"{PUBLIC}/users", User.model_validate_json, body=body)

    @operation("getUsers")
    def list(
        self,
        *,
        user_id: str | None = None,
        name: str | None = None,
        name_match_mode: MatchMode | None = None,
        name_case_insensitive: bool | None = None,
        role: UserRole | None = None,
        max_items: int | None = None,
        next_page_token: str | None = None,
        sort_field: Literal["registrationDate", "name"] | None = None,
        sort_order: SortOrder | None = None,
    ) -> Flow[Page[User]]:
        """Users, newest first unless sorted otherwise. `user_id` and `name` widen each other, `role` narrows."""
        query = params(
            user_id=user_id,
            name=name,
            name_match_mode=name_match_mode,
            name_case_insensitive=name_case_insensitive,
            role=role,
            max_items=max_items,
            next_page_token=next_page_token,
            sort_field=sort_field,
            sort_order=sort_order,
        )
        return self._request("GET", f"{PUBLIC}/users", _page, query=query)

    iterate = Iteration(list)

    @operation("getUser")
    def get(self, user_id: str) -> Flow[User]:
        """One user."""
        return self._request("GET", PUBLIC + path("/users/{}", user_id), User.model_validate_json)

    @operation("deleteUser")
    def delete(self, user_id: str) -> Flow[Message]:
        """Delete a user; their rooms and recordings pass to the root administrator."""
        return self._request("DELETE", PUBLIC + path("/users/{}", user_id), Message.model_validate_json)

    @operation("bulkDeleteUsers")
    def delete_several(self, user_ids: Sequence[str]) -> Flow[UserBulkDeletion]:
        """Delete several users and tell what became of each."""
        query = params(user_ids=user_ids)
        return self._delete_several(f"{PUBLIC}/users", UserBulkDeletion.model_validate_json, query=query)

    @operation("resetUserPassword")
    def reset_password(self, user_id: str, new_password: str) -> Flow[Message]:
        """Give a user a password for the next login, after which they have to choose another."""
        url = PUBLIC + path("/users/{}/password", user_id)
        return self._request("PUT", url, Message.model_validate_json, body=given(new_password=new_password))

    @operation("updateUserRole")
    def set_role(self, user_id: str, role: UserRole) -> Flow[User]:
        """Change what a user may do. Their tokens made before are void."""
        url = PUBLIC + path("/users/{}/role", user_id)
        return self._request("PUT", url, User.model_validate_json, body=given(role=role))


class Users(UserOperations, SyncResource):
    """Users, blocking."""


class AsyncUsers(UserOperations, AsyncResource):
    """Users, with asyncio."""
