"""Makes a pure wheel, or, with ``RUNTIME_KERNEL=required`` in the environment, one that carries the compiled kernel.

Both carry a ``.pth`` file, with which ``OBSERVER=1`` has a program observed that does not know of this project. Python
reads it at each start; without the variable, it looks the variable up and does nothing more. Everything else about the
package is in pyproject.toml.
"""

import os
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).parent

PTH = ROOT / "runtime" / "introspection" / "instrument" / "site" / "process-observer.pth"


class BuildPython(build_py):
    """Puts the ``.pth`` file beside the packages."""

    def run(self) -> None:
        """Copy the packages, then the file."""
        super().run()
        if not self.editable_mode:
            self.copy_file(PTH, Path(self.build_lib, PTH.name))


class EditableWheel(editable_wheel):
    """Puts a ``.pth`` file into an editable wheel that finds the packages in the checkout."""

    def _run_build_commands(self, dist_name, unpacked_wheel, build_lib, tmp_dir):  # type: ignore[no-untyped-def]
        line = PTH.read_text().replace("sitedir", repr(str(ROOT)))
        Path(unpacked_wheel, PTH.name).write_text(line)
        return super()._run_build_commands(dist_name, unpacked_wheel, build_lib, tmp_dir)


class BuildWithKernel(BuildPython):
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
        cmdclass={"build_py": BuildWithKernel, "editable_wheel": EditableWheel},
        distclass=PlatformDistribution,
        setup_requires=["Cython>=3.1", "lazy-loader>=0.4", "greenlet>=3.2"],
    )
else:
    setup(cmdclass={"build_py": BuildPython, "editable_wheel": EditableWheel})
