"""A broker in a process of its own, to be killed: Mosquitto where it is installed, else amqtt that learned to share.

amqtt has no shared subscriptions (MQTT 5, section 4.8.2); here each message of a group goes to its members in turn.
Run as a script it is the broker; the one argument is its port.
"""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from amqtt.broker import Broker
from amqtt.contexts import Action

SHARE = "$share/"
ANYBODY = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}


class SharingBroker(Broker):
    """Who is in a group of a shared subscription hears what is the group's, in turn, and nothing else."""

    _turn = 0
    _chosen = None

    def _matches(self, topic: str, a_filter: str) -> bool:
        if not a_filter.startswith(SHARE):
            return super()._matches(topic, a_filter)
        if not super()._matches(topic, a_filter.split("/", 2)[2]):
            return False
        there = [s for s, _ in self._subscriptions[a_filter] if s.transitions.state == "connected"]
        self._turn += 1
        self._chosen = there[self._turn % len(there)] if there else None
        return True

    async def _topic_filtering(self, session, topic: str, action: Action) -> bool:
        in_group = any(
            session is member
            for name, members in self._subscriptions.items()
            if name.startswith(SHARE)
            for member, _ in members
        )
        if action == Action.RECEIVE and in_group and session is not self._chosen:
            return False
        return await super()._topic_filtering(session, topic=topic, action=action)


def mosquitto() -> str | None:
    """Where Mosquitto is: Debian keeps it out of a user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


NO_MOSQUITTO = "no Mosquitto on this machine: apt install mosquitto"


class BrokerProcess:
    """Runs from the constructor on; ``start`` it again after ``kill``.

    Args:
        name: mosquitto or amqtt.
        settings: lines of Mosquitto's settings, below its listener.
    """

    def __init__(self, name: str, settings: str = "allow_anonymous true") -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._folder = tempfile.TemporaryDirectory()
        if name == "mosquitto":
            path = Path(self._folder.name) / "mosquitto.conf"
            account = pwd.getpwuid(
                os.getuid()
            ).pw_name  # else root becomes somebody who cannot read a test's files
            path.write_text(f"user {account}\nlistener {self.port} 127.0.0.1\n{settings}\n")
            self._command = [str(mosquitto()), "-c", str(path)]
        else:
            self._command = [sys.executable, __file__, str(self.port)]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder.name
        )

    def kill(self) -> None:
        """kill -9"""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._folder.cleanup()


async def _serve(port: int) -> None:
    broker = SharingBroker(
        {"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}, "plugins": ANYBODY}
    )
    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
