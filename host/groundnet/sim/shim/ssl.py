"""ssl: not in the virtual bench. TLS ends at the chip's modem or in mbedTLS, neither of which is modelled."""


def wrap_socket(*_, **__):
    raise OSError(95)  # EOPNOTSUPP: say so rather than send in the clear


class SSLContext:
    def __init__(self, protocol):
        self.verify_mode = 0

    def wrap_socket(self, *_, **__):
        raise OSError(95)
