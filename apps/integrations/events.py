from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class ImportQueued(Event):
    """An import waits to be run, or to be gone on with."""

    name: ClassVar[str] = "import.queued"
    import_id: str
