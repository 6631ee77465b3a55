"""The records that cores keep in flash."""

from apps.run_loop import Part
from drivers.flash_records import FlashRecord, FlashRecordError, make_folder
from groundcore import events, store

_FOLDER = "/state"


class Storage(Part):
    """Carries out STORE."""

    actions = ((events.STORE, "store"),)
    errors = (FlashRecordError, OSError)

    def __init__(self):
        make_folder(_FOLDER)
        self._records = {}

    def load(self, names: tuple = store.NAMES) -> dict:
        """The records of these names, of all that every core knows: name -> bytes or None."""
        return {name: self._record(name).load() for name in names}

    def store(self, name: str, data: bytes) -> None:
        self._record(name).store(data)

    def test(self) -> tuple:
        record = FlashRecord(_FOLDER + "/test")
        record.store(b"groundnet")
        passed = FlashRecord(_FOLDER + "/test").load() == b"groundnet"
        record.erase()
        return passed, 0, ""

    def _record(self, name: str) -> FlashRecord:
        if name not in self._records:
            self._records[name] = FlashRecord(_FOLDER + "/" + name)
        return self._records[name]
