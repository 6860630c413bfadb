"""XML 1.0 as text: whatever is said, what comes out can be read."""

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# What no document may have, not even escaped (XML 1.0, section 2.2).
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTE = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}


def text(value: str) -> str:
    """Text between tags. A closing bracket is escaped too, so that nothing ends a section of CDATA."""
    return escape(_FORBIDDEN.sub("", value))


def element(name: str, content: str | Iterable[str] | None = None, /, **attributes: str | None) -> str:
    """An element with text, or with elements that are ready; attributes that are None are left out.

    ``_`` in the names of attributes stands for what can't be in a name of Python: ``xml_lang``.
    """
    given = "".join(
        f' {key.replace("_", ":")}="{escape(_FORBIDDEN.sub("", value), _QUOTE)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if content is None:
        return f"<{name}{given}/>"
    inner = text(content) if isinstance(content, str) else "".join(content)
    return f"<{name}{given}>{inner}</{name}>"
