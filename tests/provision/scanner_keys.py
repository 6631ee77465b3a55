"""A scanner, as the browser meets it: a keyboard whose key events come 30 ms apart."""

GAP_S = 0.030
_SHIFTED = dict(zip('!@#$%^&*()_+{}|:"<>?~', "1234567890-=[]\\;',./`", strict=True))
_CODES = {
    "-": "Minus", "=": "Equal", "[": "BracketLeft", "]": "BracketRight", "\\": "Backslash", ";": "Semicolon",
    "'": "Quote", ",": "Comma", ".": "Period", "/": "Slash", "`": "Backquote", " ": "Space",
}  # fmt: skip
_PROCESS_KEY = 229  # what a key is called while an input method has it


class Scanner:
    """Types codes into a page of Playwright's, each key event with its own time, so that no machine is too slow.

    Args:
        page: has the focus.
        caps_lock: letters come in the other case.
    """

    def __init__(self, page, caps_lock=False):
        self._session = page.context.new_cdp_session(page)
        self._caps_lock = caps_lock
        self._page = page
        self._time_s = 0.0

    def scan(self, text, enter=True, composing=False, full_width=False):
        """One code. ``composing``: a Chinese input method takes the keys; ``full_width``: it types wide forms."""
        self._time_s = self._page.evaluate("Date.now() / 1000")
        for count, character in enumerate(text, 1):
            self._type(character, composing, full_width, text[:count])
        if enter:
            self._send("rawKeyDown", "Enter", "Enter", 13, "\r")
            self._send("keyUp", "Enter", "Enter", 13)

    def _type(self, character, composing, full_width, so_far):
        base = _SHIFTED.get(character, character)
        shift = base is not character or character.isupper()
        code = _CODES.get(base) or (f"Digit{base}" if base.isdigit() else f"Key{base.upper()}")
        shown = character.swapcase() if self._caps_lock else character
        if full_width:
            shown = chr(ord(character) + 0xFEE0)
        if composing:
            self._send("rawKeyDown", code, "Process", _PROCESS_KEY, shift=shift)
            self._session.send(
                "Input.imeSetComposition",
                {"text": so_far.lower(), "selectionStart": len(so_far), "selectionEnd": len(so_far)},
            )
        else:
            self._send(
                "keyDown", code, shown, ord(character.upper()) if character.isalnum() else 0, shown, shift
            )
        self._send("keyUp", code, "Process" if composing else shown, 0, shift=shift)
        self._time_s += GAP_S

    def _send(self, kind, code, key, number, text="", shift=False):
        event = {"type": kind, "code": code, "key": key, "windowsVirtualKeyCode": number,
                 "modifiers": 8 * shift, "timestamp": self._time_s}  # fmt: skip
        self._session.send("Input.dispatchKeyEvent", event | ({"text": text} if text else {}))
