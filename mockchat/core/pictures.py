"""Pictures: small avatars for the shipped users."""

from functools import cache, lru_cache

from mockchat.core.seed import fixtures_dir

HOSTS = ("assets.cometchat.io", "data-us.cometchat.io")  # where the live service has them


@cache
def contents() -> dict[str, bytes]:
    """Return the pictures by the paths at which they are served."""
    root = fixtures_dir() / "pictures"
    return {
        f"/{file.relative_to(root / host).as_posix()}": file.read_bytes()
        for host in HOSTS
        for file in sorted((root / host).rglob("*"))
        if file.is_file()
    }


@lru_cache(maxsize=1024)
def address_for(avatar: str, server: str) -> str:
    """Return the URL of an avatar: at `server`, a URL, if the avatar is a picture.

    Other avatars, and all avatars without a `server`, keep their URL.
    """
    scheme, _, rest = avatar.partition("://")
    host, slash, path = rest.partition("/")
    if server and scheme == "https" and host in HOSTS and slash + path in contents():
        return f"{server}/{path}"
    return avatar
