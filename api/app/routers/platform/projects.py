"""/api/v1/orgs/: the one organisation, and its one project, which is the server's configuration (admins alone)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.errors import NotFound
from app.routers.platform import wire
from app.routers.platform import wire_projects as shapes
from app.routers.platform.auth import Reading, Writing
from app.routers.platform.wire_entities import ORG_ID, PROJECT_ID
from app.routers.protocol import render
from app.services import configs

MEMBERS = "members: there are users and keys, which /api/v1/users and /api/v1/keys manage"
PROJECTS = "other projects and organisations: it is one"


def ours(org_id: str, project_id: str = PROJECT_ID) -> None:
    """Pass if the path names what there is.

    Raises:
        NotFound: it does not.
    """
    if (org_id, project_id) != (ORG_ID, PROJECT_ID):
        raise NotFound("Not found.")


router = APIRouter(prefix="/api/v1/orgs/organizations", tags=["projects"], strict_content_type=False)
known = APIRouter(prefix="/{org_id}", dependencies=[Depends(ours)], strict_content_type=False)


@router.get("", summary="List organisations")
def organizations(ctx: Reading) -> Any:
    """The one that there is."""
    return [shapes.organization()]


@router.post("", summary="Make an organisation: not here")
def no_organizations(ctx: Reading) -> Response:
    """501."""
    return render(wire.not_here(PROJECTS))


@known.get("", summary="One organisation")
def organization(ctx: Reading) -> Any:
    """The one that there is."""
    return shapes.organization()


@known.get("/projects", summary="List projects")
def projects(ctx: Reading) -> Any:
    """The one that there is; admins alone."""
    return shapes.projects(configs.public(ctx))


@known.get("/projects/{project_id}", summary="The project")
def get(ctx: Reading, fields: Annotated[list[str] | None, Query(max_length=50)] = None) -> Any:
    """What of the configuration the hosted mem0 has a word for; admins alone."""
    return shapes.project(configs.public(ctx), fields)


@known.patch("/projects/{project_id}", summary="Change instructions and categories")
def update(ctx: Writing, body: shapes.ProjectUpdate) -> Any:
    """Only what is sent; admins alone. What this server has not is refused, and nothing is changed."""
    return shapes.changed(configs.merge(ctx, body.changes()))


@known.post("/projects", summary="Make a project: not here")
@known.delete("", summary="Remove the organisation: not here")
@known.delete("/projects/{project_id}", summary="Remove the project: not here")
def no_projects(ctx: Reading) -> Response:
    """501."""
    return render(wire.not_here(PROJECTS))


@known.get("/members", summary="List members: not here")
@known.post("/members", summary="Add a member: not here")
@known.put("/members", summary="Change a member: not here")
@known.delete("/members", summary="Remove a member: not here")
@known.get("/projects/{project_id}/members", summary="List a project's members: not here")
@known.post("/projects/{project_id}/members", summary="Add a project's member: not here")
@known.put("/projects/{project_id}/members", summary="Change a project's member: not here")
@known.delete("/projects/{project_id}/members", summary="Remove a project's member: not here")
def no_members(ctx: Reading) -> Response:
    """501."""
    return render(wire.not_here(MEMBERS))


router.include_router(known)
