"""Texts to the owner: first what happened, then where, as soon as the modem is free and there is something to say."""

from groundwire.constant import const

from groundcore import events, sms

_RETRY_MS = const(60000)
_TRIES = const(5)
_PLACE_CHECK_MS = const(3000)

_ALARM = const(0)
_PLACE = const(1)


class OwnerTexts:
    """The texts of one device that are still to be sent. A new alarm begins anew, but does not cut a text short.

    Args:
        settings: of the device.
        tag_id: as the owner knows it.
        where: its Whereabouts.
    """

    def __init__(self, settings, tag_id: str, where):
        self._settings = settings
        self._tag_id = tag_id
        self._where = where
        self._kinds = []
        self._cause = ""
        self._tries = 0
        self._due_ms = 0
        self._under_way = None  # kind of the text that the modem is sending; of an alarm overtaken: -1

    def begin(self, cause: str, now_ms: int):
        """There is an alarm to be told."""
        if not self._settings.text("owner_phone"):
            return
        self._kinds = [_ALARM, _PLACE]
        self._cause = cause
        self._due_ms = now_ms
        self._tries = 0
        if self._under_way is not None:
            self._under_way = -1

    @property
    def pending(self) -> bool:
        """There is something to be told yet."""
        return bool(self._kinds)

    def step(self, moving: bool, online: bool, now_ms: int, actions: list):
        """Send the next text when it has something to say and the modem is free."""
        if not self._waits(online) or now_ms < self._due_ms:
            return
        language = self._settings.text("language")
        place = self._where.place(moving, now_ms)
        kind = self._kinds[0]
        if kind == _ALARM:
            if place is not None:
                self._kinds = [_ALARM]  # it says already where
            cells, age_s = self._where.cells(now_ms), self._where.cells_age_s(now_ms)
            text = sms.alarm(self._tag_id, self._cause, place, cells, age_s, now_ms, language)
        elif place is not None and self._where.settled(now_ms):
            text = sms.position(self._tag_id, place, now_ms, language)
        else:
            self._due_ms = now_ms + _PLACE_CHECK_MS
            if not self._where.on:
                self._kinds = []
            return
        self._under_way = kind
        actions.append((events.SEND_SMS, self._settings.text("owner_phone"), text))

    def done(self, sent: bool, now_ms: int):
        """The modem has sent the text, or it could not."""
        overtaken = self._under_way == -1
        self._under_way = None
        if overtaken:
            return
        self._tries += 1
        if sent or self._tries >= _TRIES:
            self._kinds = self._kinds[1:]
            self._tries = 0
        else:
            self._due_ms = now_ms + _RETRY_MS

    def next_deadline(self, online: bool) -> int | None:
        """When the next step is due."""
        return self._due_ms if self._waits(online) else None

    def _waits(self, online) -> bool:
        return bool(self._kinds) and self._under_way is None and online
