"""Model versions: what each was judged to be, which one answers, and going back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bot.desk.sessions import Signed, needs
from bot.desk.shell import page
from bot.roles import Role, open_to
from casework.permissions import Right

router = APIRouter(prefix="/workbench/models", include_in_schema=False)


@router.get("")
@open_to(Role.STAFF)
async def models(request: Request, signed: Annotated[Signed, Depends(needs(Right.RELEASE))]) -> Response:
    """Every version, the newest first."""
    return await page(request, "workbench/models.html", signed=signed)
