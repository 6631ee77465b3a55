"""The version that runs. A bundle's build puts its own in the place of this one."""

VERSION = "0.1.0"
