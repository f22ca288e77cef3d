"""Where configuration enters: which project and profile the code location works in."""

from typing import Any

from ecluse.orchestration.resources import RESOURCE, EcluseResource

#: The project is found from ``ECLUSE_PROJECT`` or the working directory, the profile from ``ECLUSE_PROFILE`` or
#: ``[tool.ecluse]`` of ``pyproject.toml``.
resources: dict[str, Any] = {RESOURCE: EcluseResource()}
