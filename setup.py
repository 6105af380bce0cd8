"""Builds the Cython sources of ext/ into homellm_edge/_*.so.

There is no pure Python twin: without the extensions the package would be broken, so a
compiler error ends the build. HOMELLM_EDGE_ANNOTATE=1 writes Cython's HTML report.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

HERE = Path(__file__).parent
SOURCES = sorted(path.relative_to(HERE) for path in (HERE / "ext").glob("*.pyx"))
PARTS = sorted(path.relative_to(HERE) for path in (HERE / "ext").glob("*.pxi"))
if not SOURCES:
    raise SystemExit("setup.py: ext/ holds no .pyx file; the source tree is incomplete")

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"homellm_edge._{path.stem}",
                [str(path)],
                depends=[str(path), *map(str, PARTS)],  # into the sdist, too
                extra_compile_args=["-O3", "-g0", "-fvisibility=hidden"],
            )
            for path in SOURCES
        ],
        build_dir="build/cython",
        annotate=os.environ.get("HOMELLM_EDGE_ANNOTATE") == "1",
        compiler_directives={"language_level": 3, "embedsignature": True},
    )
)
