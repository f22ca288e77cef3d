"""The supported way to released data: who asks, may they, is it what was signed, and only what was granted."""

from ecluse.door.load import load
from ecluse.door.loaded import Loaded
from ecluse.door.verify import Verified, verify

__all__ = ["Loaded", "Verified", "load", "verify"]
