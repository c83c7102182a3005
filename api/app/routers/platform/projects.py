"""/api/v1/orgs/: the one organisation, and its one project, which is the server's configuration (admins alone)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.errors import NotFound
from app.routers.platform import wire
from app.routers.platform import wire_projects as shapes
from app.routers.platform.auth import Reading, Writing
from app.routers.platform.fields import Names
from app.routers.protocol import render
from app.services import configs

ORGS = "/api/v1/orgs/organizations"
ORG, PROJECTS = f"{ORGS}/{{org_id}}", f"{ORGS}/{{org_id}}/projects"
PROJECT = f"{PROJECTS}/{{project_id}}"
MEMBERS = "members, and no other organisations and projects: there are users and keys, see /api/v1/users"
router = APIRouter(tags=["projects"])
