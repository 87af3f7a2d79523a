"""What goes wrong at a URL, as an ``OSError`` that says the cause; and texts without credentials."""

from __future__ import annotations

import contextlib
import errno
import re
import sys
from collections.abc import Iterator

_USER = re.compile(r"(?<=://)[^/\s]*@")
_SLASHED = re.compile(r"(?<=://)(?!\[)[^/\s:@]*:(?!\d+[/?#])[^\s@]*/[^\s@]*@")  # the password has a slash: no URL
_QUERY = re.compile(r"(\w://[^\s?'\"]*)\?[^\s'\"]*")
_BUCKET = re.compile(r"bucket does not exist|no ?such ?bucket", re.IGNORECASE)
_THROTTLED = re.compile(
    r"slow ?down|throttl|too ?many ?requests|request ?(rate|limit)|rate limit|service ?unavailable", re.IGNORECASE
)
_NO_BUCKET = "the bucket does not exist"
_FOREIGN = (  # what libraries raise that is no OSError; each only if it has been imported
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
    ("aiohttp", "InvalidURL"),
    ("fsspec.exceptions", "FSTimeoutError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("azure.core.exceptions", "AzureError"),
    ("huggingface_hub.errors", "HfHubHTTPError"),
    ("httpx", "HTTPError"),
    ("httpx2", "HTTPError"),
    ("requests", "RequestException"),
    ("paramiko", "SSHException"),
    ("ftplib", "Error"),
)


def without_credentials(text: str) -> str:
    """A text in which no URL has a user, a password or a query."""
    return _QUERY.sub(r"\1", _USER.sub("", _SLASHED.sub("", text)))


def has_slash_in_password(text: str) -> bool:
    """Whether a text is a URL but for a slash in its password, which has to be written as ``%2F``."""
    return _SLASHED.search(text) is not None


@contextlib.contextmanager
def plain_errors(path: object) -> Iterator[None]:
    """Raise what libraries raise within the block as an ``OSError`` that says the cause, without credentials.

    The original is not chained: its text may contain the whole URL, which a traceback would print.
    """
    try:
        yield
    except NotImplementedError:
        raise OSError(errno.EROFS, "it cannot be written to", str(path)) from None
    except OSError as error:
        raise _plain(error, path) from None
    except _foreign_errors() as error:
        raise _plain(error, path) from None


def _foreign_errors() -> tuple[type[BaseException], ...]:
    loaded = [(sys.modules.get(module), name) for module, name in _FOREIGN]
    found = (getattr(module, name) for module, name in loaded if hasattr(module, name))
    return ValueError, *found  # the first of names that a store cannot have


def _plain(error: BaseException, path: object) -> OSError:
    status = getattr(error, "status", None) or getattr(error, "code", None)
    text = getattr(error, "strerror", None) or str(error)
    if isinstance(error, FileNotFoundError) or status == 404:
        text = _NO_BUCKET if _BUCKET.search(text) else "there is no such object"
        return FileNotFoundError(errno.ENOENT, text, str(path))
    if status in {429, 503} or getattr(error, "errno", None) == errno.EBUSY or _THROTTLED.search(text):
        cause = "the server refuses so many requests; try again later or with fewer workers"
        return OSError(errno.EBUSY, cause, str(path))
    kind = type(error).__name__
    if isinstance(error, PermissionError) or status in {401, 403} or "Credential" in kind or "Auth" in kind:
        no_keys = "NoCredentials" in kind or "DefaultCredentials" in kind
        cause = "no credentials were found" if no_keys else "access was denied"
        return PermissionError(errno.EACCES, f"{cause}; check the credentials in the environment", str(path))
    if isinstance(error, TimeoutError) or "Timeout" in kind:
        return OSError(errno.EIO, "the server did not answer in time", str(path))
    if isinstance(error, ConnectionError) or "Connect" in kind or "Disconnect" in kind or "Payload" in kind:
        return OSError(errno.EIO, "the connection to the server failed", str(path))
    if "bucket name" in text.lower():
        return OSError(errno.EINVAL, "no bucket can have that name", str(path))
    number = error.errno if isinstance(error, OSError) and error.errno else errno.EIO
    if status == 416 or "range" in text.lower():
        number = errno.EINVAL
    cause = " ".join(without_credentials(text).split()).rstrip(".") or kind
    return OSError(number, cause[:1].lower() + cause[1:], str(path))


def names_container(error: OSError) -> bool:
    """Whether not only an object is missing, but what it would be in."""
    return error.strerror == _NO_BUCKET
