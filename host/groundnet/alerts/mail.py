"""Alerts by e-mail: one message to the mail server of the county, RFC 5321 and RFC 3207."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from groundnet.alerts import wording
from groundnet.alerts.post import DeliveryError, Message

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in. ``security``: "tls" from the first byte, "starttls", or "none", which is for a server
    on the same computer; ``password`` is shown by nothing."""

    host: str
    port: int
    sender: str
    security: str = "starttls"
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"<MailServer {self.host}:{self.port} {self.security}>"


class Mail:
    """Sends to ``mailto:`` contacts."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def __call__(self, message: Message) -> None:
        """Raises DeliveryError."""
        letter = EmailMessage()
        letter["From"] = self._server.sender
        letter["To"] = message.contact.removeprefix("mailto:")
        letter["Subject"] = f"{wording.subject(message.language)}: {message.tag_id}"
        letter["Date"] = formatdate(message.time_ms / 1000)
        letter["Message-ID"] = f"<alert-{message.alert_id}@{self._server.sender.rpartition('@')[2]}>"
        letter.set_content(message.text)
        try:
            self._hand_in(letter)
        except (OSError, smtplib.SMTPException) as error:
            code = getattr(error, "smtp_code", None)
            why = f"answered {code}" if code else f"was not reached ({type(error).__name__})"
            raise DeliveryError(f"the mail server {why}", "it is tried again") from error

    def _hand_in(self, letter: EmailMessage) -> None:
        server = self._server
        context = ssl.create_default_context()
        if server.security == "tls":
            line = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
        else:
            line = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        with line:
            if server.security == "starttls":
                line.starttls(context=context)
            if server.user:
                line.login(server.user, server.password)
            line.send_message(letter)
