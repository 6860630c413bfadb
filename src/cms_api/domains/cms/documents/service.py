"""The document engine: one set of decisions for every type of content."""

from typing import Generic

from cms_api.domains.cms.documents.drafting import Drafting
from cms_api.domains.cms.documents.engine import C
from cms_api.domains.cms.documents.interface import Changes, V
from cms_api.domains.cms.documents.publishing import Publishing


class Documents(Drafting[C, Changes, V], Publishing[C, Changes, V], Generic[C, Changes, V]):
    """The service of one content type; a subclass says which, and how it is shown."""
