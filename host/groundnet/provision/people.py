"""Who may work at an install point: names with a PIN and a role, and the sessions of those who signed in.

A PIN is short, so it is guessed slowly: Scrypt, under the vault where there is one (the file alone then tells
nothing), and after five wrong ones a wait that doubles. A try is counted before it is judged: killing the program
does not win one.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass

from groundnet.database.store import Row
from groundnet.errors import GroundnetError, Text
from groundnet.provision.audit import Audit
from groundnet.provision.registry import Registry

ROLES = ("staff", "supervisor")
MOST_WRONG = 5
FIRST_WAIT_MS, LONGEST_WAIT_MS = 60_000, 3_600_000
IDLE_MS = 15 * 60_000
LONGEST_SESSION_MS = 12 * 3_600_000
_PIN = re.compile(r"[0-9]{4,12}")
_NAME = re.compile(r"[\w][\w .·-]{0,31}")
_SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}  # 16 MiB, tens of milliseconds on a counter's computer


class PeopleError(GroundnetError):
    """A name, PIN or role that cannot be used."""


class WrongPin(PeopleError):
    """Name and PIN do not belong together."""

    def __init__(self) -> None:
        super().__init__(
            Text("name or PIN is wrong", "姓名或 PIN 不对"), Text("type them again", "请重新输入")
        )


class LockedOut(PeopleError):
    """Too many wrong PINs. ``wait_ms``: how long nobody can sign in with this name."""

    def __init__(self, wait_ms: int) -> None:
        self.wait_ms = wait_ms
        minutes = -(-wait_ms // 60_000)
        super().__init__(
            Text("too many wrong PINs", "PIN 输错次数过多"),
            Text(f"wait {minutes} min or call a supervisor", f"请等 {minutes} 分钟，或找主管"),
        )


class SessionOver(PeopleError):
    """Nobody is signed in with this token any more."""

    def __init__(self) -> None:
        super().__init__(Text("the session is over", "登录已过期"), Text("sign in again", "请重新登录"))


class NotAllowed(PeopleError):
    """It takes a supervisor."""

    def __init__(self) -> None:
        super().__init__(
            Text("this takes a supervisor", "此操作需要主管"), Text("have one sign in", "请主管登录")
        )


@dataclass(frozen=True)
class Person:
    """One who may sign in. ``waits_until_ms``: locked out until then."""

    name: str
    role: str
    waits_until_ms: int


@dataclass(frozen=True)
class Session:
    """Somebody who proved who they are. The token never shows."""

    name: str
    role: str
    began_ms: int
    token: str

    def __repr__(self) -> str:
        return f"<Session of {self.name}, {self.role}>"


class People:
    """Those of one registry; sessions live as long as this object."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._sessions: dict[bytes, tuple[Session, int]] = {}  # by hash of the token; last seen

    def everyone(self) -> list[Person]:
        """By name."""
        rows = self._registry.database.execute("SELECT * FROM people ORDER BY name").fetchall()
        return [Person(row["name"], row["role"], row["waits_until_ms"]) for row in rows]

    def add(self, name: str, pin: str, role: str, now_ms: int, by: Session | None = None) -> Person:
        """Add a person, or give one a new PIN or role. The first supervisor needs nobody's leave.

        Raises PeopleError, NotAllowed, VaultLocked.
        """
        name, pin = _plain(name), _plain(pin)
        if role not in ROLES:
            raise PeopleError(f"'{role}' is no role", "use staff or supervisor")
        if not _NAME.fullmatch(name):
            raise PeopleError(f"'{name}' is no name", "use 1 to 32 letters, digits, spaces, dots and hyphens")
        if not _PIN.fullmatch(pin):
            raise PeopleError(
                Text("the PIN does not fit", "PIN 不合格"), Text("use 4 to 12 digits", "请用 4 至 12 位数字")
            )
        self._need_supervisor(by, now_ms)
        salt = secrets.token_bytes(16)
        digest = self._digest(pin, salt)
        with self._registry.transaction():
            if role == "staff":
                self._keep_one_supervisor(name)
            self._registry.database.execute(
                """INSERT INTO people (name, role, salt, digest, added_ms) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET role = excluded.role, salt = excluded.salt,
                    digest = excluded.digest, wrong = 0, waits_until_ms = 0""",
                (name, role, salt, digest, now_ms),
            )
            Audit(self._registry).append(now_ms, "add person", role, who=by.name if by else None, person=name)
        self._drop_sessions(name)
        return Person(name, role, 0)

    def remove(self, name: str, now_ms: int, by: Session | None = None) -> None:
        """Take away somebody's leave to work here. Raises PeopleError, NotAllowed."""
        name = _plain(name)
        self._need_supervisor(by, now_ms)
        self._known(name)
        with self._registry.transaction():
            self._keep_one_supervisor(name)
            self._registry.database.execute("DELETE FROM people WHERE name = ?", (name,))
            Audit(self._registry).append(now_ms, "remove person", who=by.name if by else None, person=name)
        self._drop_sessions(name)

    def sign_in(self, name: str, pin: str, now_ms: int) -> Session:
        """Raises WrongPin, LockedOut, VaultLocked: PINs are under the vault, so it is unlocked first."""
        person = self.prove(name, pin, now_ms)
        session = Session(person.name, person.role, now_ms, secrets.token_urlsafe(32))
        self._sessions[_hashed(session.token)] = (session, now_ms)
        Audit(self._registry).append(now_ms, "sign in", who=person.name)
        return session

    def prove(self, name: str, pin: str, now_ms: int) -> Person:
        """Whether the PIN is this person's; counts the wrong ones. Raises WrongPin, LockedOut, VaultLocked."""
        name, pin = _plain(name), _plain(pin)
        with self._registry.transaction():
            row = self._row(name)
            if row is not None:
                self._count(row, now_ms)
        same = hmac.compare_digest(self._digest(pin, row["salt"] if row else bytes(16)), _expected(row))
        if row is None or not same:
            if row is not None:  # a name that is not known may be a PIN in the wrong field
                Audit(self._registry).append(now_ms, "sign in", "wrong pin", who=name)
            raise WrongPin
        self._registry.database.execute(
            "UPDATE people SET wrong = 0, waits_until_ms = 0 WHERE name = ?", (name,)
        )
        return Person(row["name"], row["role"], 0)

    def check(self, token: str, now_ms: int, touch: bool = True) -> Session:
        """Whose token it is; ``touch`` keeps the session alive. Raises SessionOver."""
        key = _hashed(token)
        session, seen_ms = self._sessions.get(key, (None, 0))
        if session is None:
            raise SessionOver
        if now_ms - seen_ms > IDLE_MS or now_ms - session.began_ms > LONGEST_SESSION_MS:
            del self._sessions[key]
            raise SessionOver
        if touch:
            self._sessions[key] = (session, now_ms)
        return session

    def sign_out(self, token: str, now_ms: int) -> None:
        session, _ = self._sessions.pop(_hashed(token), (None, 0))
        if session is not None:
            Audit(self._registry).append(now_ms, "sign out", who=session.name)

    def _need_supervisor(self, by: Session | None, now_ms: int) -> None:
        if not any(person.role == "supervisor" for person in self.everyone()):
            return
        if by is None or self.check(by.token, now_ms).role != "supervisor":
            raise NotAllowed

    def _keep_one_supervisor(self, leaving: str) -> None:
        supervisors = [person.name for person in self.everyone() if person.role == "supervisor"]
        if supervisors == [leaving]:
            raise PeopleError(
                Text(f"{leaving} is the only supervisor", f"{leaving} 是唯一的主管"),
                Text("add another one first", "请先添加另一位主管"),
            )

    def _count(self, row: Row, now_ms: int) -> None:
        """This try is a wrong one until it is proved right. Raises LockedOut."""
        if now_ms < row["waits_until_ms"]:
            raise LockedOut(row["waits_until_ms"] - now_ms)
        wrong = row["wrong"] + 1
        wait_ms = 0
        if wrong >= MOST_WRONG:
            wait_ms = min(FIRST_WAIT_MS << min(wrong - MOST_WRONG, 10), LONGEST_WAIT_MS)
        self._registry.database.execute(
            "UPDATE people SET wrong = ?, waits_until_ms = ? WHERE name = ?",
            (wrong, now_ms + wait_ms if wait_ms else 0, row["name"]),
        )

    def _known(self, name: str) -> Row:
        row = self._row(name)
        if row is None:
            raise PeopleError(
                Text(f"nobody is called '{name}' here", f"没有叫“{name}”的人员"),
                Text("see `provision people list`", "请看 `provision people list`"),
            )
        return row

    def _row(self, name: str) -> Row | None:
        return self._registry.database.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone()

    def _digest(self, pin: str, salt: bytes) -> bytes:
        slow = hashlib.scrypt(pin.encode(), salt=salt, dklen=32, **_SCRYPT)
        vault = self._registry.vault
        return slow if vault is None else vault.mac("pin", slow)

    def _drop_sessions(self, name: str) -> None:
        self._sessions = {key: kept for key, kept in self._sessions.items() if kept[0].name != name}


def _expected(row: Row | None) -> bytes:
    return row["digest"] if row is not None else bytes(32)


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _plain(text: str) -> str:
    """Full-width letters and digits of an input method are the ones that they look like."""
    return unicodedata.normalize("NFKC", text).strip()
