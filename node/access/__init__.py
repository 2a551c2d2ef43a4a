"""Who may ask a node for what: roles of listeners, scopes, and the keys of clients."""

from node.access.apikeys import (
    API_KEYS_MAX,
    ApiKey,
    ApiKeysError,
    editing_api_keys,
    hash_of,
    key_name,
    load_api_keys,
    make_api_key,
    save_api_keys,
)
from node.access.keyring import LOOK_AGAIN_S, ApiKeyRefused, Keyring
from node.access.scopes import SCOPES_OF, Role, Scope

__all__ = [
    "API_KEYS_MAX",
    "LOOK_AGAIN_S",
    "SCOPES_OF",
    "ApiKey",
    "ApiKeyRefused",
    "ApiKeysError",
    "Keyring",
    "Role",
    "Scope",
    "editing_api_keys",
    "hash_of",
    "key_name",
    "load_api_keys",
    "make_api_key",
    "save_api_keys",
]
