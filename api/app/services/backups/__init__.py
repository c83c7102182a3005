"""Backups: all of one owner's memories as a zip, and back.

The zip is OpenMemory's, with more in it: `memories.json` holds the sections user, apps, categories, memories,
memory_categories, status_history, access_controls, memory_versions and export_meta; `memories.jsonl.gz` one plain
record a line for whoever only wants the texts. On import the former is believed and the latter only has to be sound.

    export ──> exporting ──> the database, in slices, one snapshot
    import ──> archive (is the zip fit to be read?) ──> staging (is every record? a temporary file) ──> importing
"""

from app.services.backups.exporting import Wanted, count, export
from app.services.backups.importing import Imported, import_file
from app.services.backups.previewing import preview

__all__ = ["Imported", "Wanted", "count", "export", "import_file", "preview"]
