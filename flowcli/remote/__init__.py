"""Objects at URLs, such as ``s3://bucket/frame.png``, with the interface of ``pathlib.Path`` that flowcli uses.

universal-pathlib and fsspec do the work. What is different here:

- A frame is one request for its bytes, and the beginning of an object is one request for that part.
- Whatever the libraries raise becomes an ``OSError`` that says the cause, and so is handled as that of a file is.
- Credentials in a URL (``https://user:password@host/``, the query of a signed URL) are in no text of a path.
- A folder can be listed once (:meth:`Remote.with_listing`) instead of asking for each of its objects.

Listings are never kept longer than that: a second run in the same process sees what has changed.
"""

from __future__ import annotations

from .causes import without_credentials
from .listing import Listing
from .path import Remote

__all__ = ["Listing", "Remote", "without_credentials"]
