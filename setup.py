"""Makes a pure wheel, or, with ``RUNTIME_KERNEL=required`` in the environment, one that carries the compiled kernel.

Everything else about the package is in pyproject.toml.
"""

import os
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithKernel(build_py):
    """Compiles the kernel beside the modules that are copied."""

    def run(self) -> None:
        """Copy, then compile."""
        super().run()
        sys.path.insert(0, str(ROOT))
        from runtime.build import build  # for this, a build needs the packages below
        from runtime.compiled.choice import FOLDER

        build(FOLDER if self.editable_mode else Path(self.build_lib, "runtime", "compiled"))


class PlatformDistribution(Distribution):
    """A distribution for this interpreter and machine alone."""

    def has_ext_modules(self) -> bool:
        """Say so."""
        return True


if os.environ.get("RUNTIME_KERNEL") == "required":
    setup(
        cmdclass={"build_py": BuildWithKernel},
        distclass=PlatformDistribution,
        setup_requires=["Cython>=3.1", "lazy-loader>=0.4", "greenlet>=3.2"],
    )
else:
    setup()
