"""Tables, one file a noun."""

from app.models.accesses import AccessBatch, AccessLog, AppAccess, AppDay
from app.models.apps import AccessControl, App, Webhook
from app.models.chains import ChainKey, ChainNode, SpaceChain
from app.models.configs import Config
from app.models.events import Event, ImportTask, SessionMessage
from app.models.exports import MemoryExport
from app.models.feedback import MemoryFeedback
from app.models.findings import Finding
from app.models.grants import Grant, GrantCode, OAuthClient
from app.models.index import IndexBuild, IndexClaim, MemoryTerms, MemoryTokens, MemoryVector, VectorOwner, WordOwner
from app.models.memories import (
    UNEXAMINED,
    Category,
    Memory,
    MemoryTally,
    MemoryVersion,
    State,
    StatusChange,
    memory_categories,
    memory_tags,
)
from app.models.users import ApiKey, LoginSession, User

__all__ = [
    "UNEXAMINED",
    "AccessBatch",
    "AccessControl",
    "AccessLog",
    "ApiKey",
    "App",
    "AppAccess",
    "AppDay",
    "Category",
    "ChainKey",
    "ChainNode",
    "Config",
    "Event",
    "Finding",
    "Grant",
    "GrantCode",
    "ImportTask",
    "IndexBuild",
    "IndexClaim",
    "LoginSession",
    "Memory",
    "MemoryExport",
    "MemoryFeedback",
    "MemoryTally",
    "MemoryTerms",
    "MemoryTokens",
    "MemoryVector",
    "MemoryVersion",
    "OAuthClient",
    "SessionMessage",
    "SpaceChain",
    "State",
    "StatusChange",
    "User",
    "VectorOwner",
    "Webhook",
    "WordOwner",
    "memory_categories",
    "memory_tags",
]
